// Read-only links to a result or an insight: made, copied, withdrawn.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import type { Page, ShareMade, ShareRead } from "../schema";
import { nameOf } from "../session";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Select } from "../parts/field";
import { Ago, Bones, Notice, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

export function ShareLinks({ of, onClose }: { of: { model: string } | { insight: string }; onClose: () => void }) {
  const links = useCall<Page<ShareRead>>("shares.list", of);
  const [days, setDays] = useState("14");
  const [made, setMade] = useState<ShareMade | null>(null);
  const [trouble, setTrouble] = useState("");
  const again = () => invalidate((name) => name === "shares.list");
  const create = () =>
    call<ShareMade>("shares.create", { ...of, days: Number(days) }).then(
      (fresh) => {
        setMade(fresh);
        setTrouble("");
        again();
      },
      (error: Failure) => setTrouble(error.message),
    );
  const withdraw = (share: ShareRead) =>
    call("shares.withdraw", { ref: share.id }).then(
      () => {
        if (made?.id === share.id) setMade(null);
        toast({ title: "The link opens nothing any more" });
        again();
      },
      (error: Failure) => setTrouble(error.message),
    );
  const address = made ? `${location.origin}/shared/${made.token}` : "";
  return (
    <Dialog title="Read-only link" onClose={onClose} actions={<Button onClick={onClose}>Close</Button>}>
      <div class="stack">
        <p class="muted">
          Whoever has the link sees {"model" in of ? "this result" : "this chart or table"} and nothing else, without an account, until it expires or you
          withdraw it.
        </p>
        <div class="row wrap" style={{ alignItems: "flex-end" }}>
          <Select
            label="It works for"
            value={days}
            choices={[
              ["1", "one day"],
              ["7", "a week"],
              ["14", "two weeks"],
              ["30", "a month"],
              ["90", "three months"],
            ]}
            onChange={setDays}
          />
          <Button tone="main" icon="link" onClick={create}>
            Make a link
          </Button>
        </div>
        {made && (
          <Notice
            tone="good"
            title="Copy it now; it is not shown again"
            action={
              <Button
                small
                icon="copy"
                onClick={() =>
                  navigator.clipboard.writeText(address).then(
                    () => toast({ tone: "good", title: "Copied" }),
                    () => toast({ tone: "bad", title: "The browser did not let it be copied. Mark the text and copy it." }),
                  )
                }
              >
                Copy
              </Button>
            }
          >
            <code class="mono made-link">{address}</code>
          </Notice>
        )}
        {trouble && <Notice tone="bad">{trouble}</Notice>}
        {links.error && <Trouble error={links.error} again={links.reload} />}
        {!links.data && !links.error && <Bones lines={2} height={44} />}
        <ul class="share-list">
          {links.data?.items.map((each) => (
            <li key={each.id} class="share-line">
              <span class="grow">
                <span class="strong" style={{ display: "block" }}>
                  Until {format.when(each.expires_at)}
                </span>
                <span class="small muted">
                  {nameOf(each.by)} ·{" "}
                  {each.opened ? (
                    <>
                      opened {format.counted(each.opened, "time")}, last <Ago at={each.opened_at ?? each.created_at} />
                    </>
                  ) : (
                    "not opened yet"
                  )}
                </span>
              </span>
              <Button small onClick={() => withdraw(each)}>
                Withdraw
              </Button>
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}
