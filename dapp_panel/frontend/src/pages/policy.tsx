// The decision that was tuned, kept for everybody who predicts.
import type { ModelRead } from "../schema";
import { Button } from "../parts/button";
import { toast } from "../parts/toasts";
import type { Choice } from "./tune";

export function KeepPolicy({ choice }: { model: ModelRead; choice: Choice }) {
  const copy = () => navigator.clipboard.writeText(location.href).then(() => toast({ tone: "good", title: `The link was copied; it opens this decision (from ${Math.round(choice.threshold * 100)}% on)` }), () => toast({ tone: "bad", title: "The browser did not let it be copied. Copy the address of this page." }));
  return (
    <div>
      <Button icon="link" onClick={copy}>
        Copy a link to this decision
      </Button>
    </div>
  );
}
