// The decision that was tuned, kept for everybody who predicts; and those before it.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import type { ModelRead, Page, PolicyRead } from "../schema";
import { may, nameOf } from "../session";
import { Button } from "../parts/button";
import { Ago, Notice } from "../parts/surface";
import { toast } from "../parts/toasts";
import type { Choice } from "./tune";

export function KeepPolicy({ model, choice }: { model: ModelRead; choice: Choice }) {
  const kept = useCall<Page<PolicyRead>>("models.policies", { ref: model.id });
  const [trouble, setTrouble] = useState("");
  const present = kept.data?.items[0];
  const keep = () => {
    setTrouble("");
    const by =
      choice.by === "cost"
        ? { cost_false_alarm: choice.costFalse, cost_missed: choice.costMissed }
        : choice.by === "capacity"
          ? { capacity: choice.capacity }
          : { value: choice.threshold };
    return call<PolicyRead>("models.threshold", { ref: model.id, by: choice.by, ...by }).then(
      (policy) => {
        invalidate((name, params) => name.startsWith("models.") && params.ref === model.id);
        toast({ tone: "good", title: policy.sentence });
      },
      (error: Failure) => setTrouble(error.message),
    );
  };
  const copy = () =>
    navigator.clipboard.writeText(location.href).then(
      () => toast({ tone: "good", title: "The link was copied; it opens this decision" }),
      () => toast({ tone: "bad", title: "The browser did not let it be copied. Copy the address of this page." }),
    );
  return (
    <div class="stack" style={{ "--gap": "10px" }}>
      <div class="row wrap">
        {may("model.update", model) && (
          <Button tone="main" icon="check" onClick={keep}>
            Decide like this from now on
          </Button>
        )}
        <Button icon="link" onClick={copy}>
          Copy link
        </Button>
      </div>
      {trouble && <Notice tone="bad">{trouble}</Notice>}
      {present && (
        <p class="small muted">
          Now it is decided from {format.percent(present.threshold)} on, by {nameOf(present.set_by)}, <Ago at={present.at} />.
        </p>
      )}
    </div>
  );
}
