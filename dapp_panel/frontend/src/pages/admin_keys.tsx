// The keys that everything is sealed with: never shown, only named.
import { call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import type { KeysRead } from "../schema";
import { Button } from "../parts/button";
import { ask } from "../parts/dialog";
import { Badge, Bones, Card, Fact, Notice, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

const STATES: Record<string, ["good" | "plain" | "bad", string]> = { active: ["good", "In use"], old: ["plain", "Still read"], retired: ["plain", "Given up"] };
const SIGNING: Record<string, ["good" | "plain" | "bad", string]> = {
  active: ["good", "In use"],
  old: ["plain", "Still accepted"],
  retired: ["plain", "Refused"],
};

export function Keys() {
  const found = useCall<KeysRead>("keys.status");
  const again = () => invalidate((name) => name === "keys.status");
  if (found.error) return <Trouble error={found.error} again={found.reload} />;
  if (!found.data) return <Bones lines={3} height={72} />;
  const data = found.data;
  const rotate = () =>
    ask({
      title: "Change the root key?",
      words: "A new key is made and every data key is wrapped with it, while everything goes on. Data is not rewritten. Take a backup of the keys afterwards.",
      yes: "Change it",
      act: () =>
        call("keys.rotate").then(() => {
          toast({ tone: "good", title: "A new root key is in use" });
          again();
        }),
    });
  const sign = (now: boolean) =>
    ask({
      title: now ? "Change the signing key now?" : "Change the signing key?",
      words: now
        ? "Access tokens are signed with a new key, and what the old one has signed is refused from this moment on. Programs renew their token by themselves; scripts that hold only an access token have to sign in again."
        : "Access tokens are signed with a new key. What the old one has signed is good until it ends, a few minutes later.",
      yes: now ? "Change it now" : "Change it",
      danger: now,
      act: () =>
        call("keys.rotate_signing", { now }).then(() => {
          toast({ tone: "good", title: "A new signing key is in use" });
          again();
        }),
    });
  return (
    <>
      <dl class="facts">
        <Fact label="In use">
          <span class="mono">{data.active.slice(0, 8)}</span>
        </Fact>
        <Fact label="It comes from">{data.source}</Fact>
        <Fact label="Data keys">{format.count(data.keys.reduce((sum, each) => sum + each.wraps, 0))}</Fact>
      </dl>
      {data.unfinished && (
        <Notice tone="warn" title="Some data keys still wait to be wrapped with the key in use">
          It goes on by itself, and again when the platform starts.
        </Notice>
      )}
      <Card
        title="Keys that sign access tokens"
        note="Nobody has to sign in again when this key changes."
        action={
          <span class="row wrap" style={{ "--gap": "8px" }}>
            <Button icon="again" onClick={() => sign(false)}>
              Change the signing key
            </Button>
            <Button onClick={() => sign(true)}>Change it now</Button>
          </span>
        }
        flush
      >
        <ul class="lines">
          {data.signing_keys.map((each) => {
            const [tone, words] = SIGNING[each.state] ?? ["plain", each.state];
            return (
              <li key={each.kid} class="version-line">
                <span class="grow">
                  <span class="row wrap" style={{ "--gap": "2px 8px" }}>
                    <span class="mono strong">{each.kid}</span>
                    <Badge tone={tone}>{words}</Badge>
                  </span>
                  <span class="small muted">
                    {each.created_at ? `Since ${format.when(each.created_at)}` : "The first one"}
                    {each.accepted_until && ` · accepted until ${format.when(each.accepted_until)}`}
                  </span>
                </span>
              </li>
            );
          })}
        </ul>
      </Card>
      <Card
        title="Root keys"
        note="No key is ever shown here."
        action={
          <Button icon="again" onClick={rotate}>
            Change the key
          </Button>
        }
        flush
      >
        <ul class="lines">
          {data.keys.map((each) => {
            const [tone, words] = STATES[each.state] ?? ["plain", each.state];
            return (
              <li key={each.kid} class="version-line">
                <span class="grow">
                  <span class="row wrap" style={{ "--gap": "2px 8px" }}>
                    <span class="mono strong">{each.kid}</span>
                    <Badge tone={tone}>{words}</Badge>
                  </span>
                  <span class="small muted">
                    Since {format.when(each.created_at)} · wraps {format.counted(each.wraps, "data key")} · fingerprint {each.fingerprint.slice(0, 16)}
                  </span>
                </span>
                {each.state === "old" && each.wraps === 0 && (
                  <Button
                    small
                    onClick={() =>
                      ask({
                        title: "Give this key up?",
                        words: "It wraps nothing any more. Backups that were made with it can then be opened only with a copy of the key.",
                        yes: "Give it up",
                        danger: true,
                        act: () => call("keys.retire", { kid: each.kid }).then(again),
                      })
                    }
                  >
                    Retire
                  </Button>
                )}
              </li>
            );
          })}
        </ul>
      </Card>
    </>
  );
}
