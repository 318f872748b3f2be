#!/bin/sh
# After a run with failures: looks at up to three failed tests once more, alone. Two tests on two cores hold each other
# up, and a clock then says "late" of what would have been in time; a true failure fails alone too. Says what it did.
# Python's own tests do the same (regrtest --rerun). Usage: second_look.sh EXIT_CODE PYTHON [arguments of pytest]
code=$1
python=$2
shift 2
[ "$code" = 1 ] || exit "$code"
failed=$("$python" -c 'import json; print(len(json.load(open(".pytest_cache/v/cache/lastfailed"))))' 2>/dev/null || echo 99)
[ "$failed" -le 3 ] || exit "$code"
echo "$failed failed beside others; they are looked at once more, alone."
exec "$python" -m pytest -q --last-failed "$@"
