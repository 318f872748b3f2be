#!/bin/sh
# Known weaknesses in our code (bandit) and in what we depend on (pip-audit, npm audit); fails for anything high.
# A service that cannot be asked from here is named and is not taken for "nothing found".
set -u
bin=${1:-.venv/bin}
python=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
bad=0
unasked=
out=$(mktemp)
trap 'rm -f "$out"' EXIT

echo "== bandit"
"$bin/uv" tool run --quiet --from 'bandit>=1.8,<2' bandit --quiet --recursive dapp_ext dapp_panel --exclude '*/node_modules/*' --severity-level high >"$out" 2>&1
case $? in
0) echo "nothing high" ;;
1) cat "$out"; bad=1 ;;
*) cat "$out"; echo "not asked: bandit could not be run here"; unasked="$unasked bandit" ;;
esac

echo "== pip-audit"
if "$bin/uv" tool run --quiet --from 'pip-audit>=2.7,<3' pip-audit --requirement "constraints/python$python.txt" --no-deps --disable-pip >"$out" 2>&1; then
    if grep -q 'could not be audited' "$out"; then
        echo "not asked: the package index here has no advisories for $(grep -c 'could not be audited' "$out") packages"; unasked="$unasked pip-audit"
    else
        echo "nothing known"
    fi
elif grep -qE '^[a-z0-9_.-]+ +[0-9][^ ]* +(PYSEC|GHSA|CVE)-' "$out"; then
    cat "$out"; bad=1
else
    tail -3 "$out"; echo "not asked: the advisories cannot be reached from here"; unasked="$unasked pip-audit"
fi

for folder in labextension dapp_panel/frontend; do
    [ -f "$folder/package-lock.json" ] || continue
    echo "== npm audit $folder"
    if (cd "$folder" && npm audit --audit-level=high --omit=dev) >"$out" 2>&1; then
        echo "nothing high"
    elif grep -q 'audit endpoint returned an error\|ENOTFOUND\|ECONN\|ENOAUDIT' "$out"; then
        echo "not asked: npm's advisories cannot be reached from here"; unasked="$unasked npm-audit"
    else
        cat "$out"; bad=1
    fi
done
echo "=="
if [ -n "$unasked" ]; then
    echo "NOT ASKED:$unasked. That says nothing about what they would find: run it again where the internet can be reached."
fi
[ $bad = 1 ] || echo "Nothing high was found by what could be asked."
exit $bad
