// Account: who one is here, the password, the look, the way out.
import { useState } from "preact/hooks";
import { call } from "../calls";
import * as format from "../format";
import { account, boot, may } from "../session";
import { type Theme, setTheme, theme } from "../theme";
import { Button, Segmented } from "../parts/button";
import { Input } from "../parts/field";
import { Card, Face, Fact, Notice } from "../parts/surface";
import { toast } from "../parts/toasts";
import { ROLES } from "../shell/frame";
import { Head, Page } from "../shell/page";
import { Devices, Name, Stored, Tokens } from "./account_parts";
import { Deleted } from "./deleted";
import type { AccountRead } from "../schema";

const SHORTEST = 15;

export function Account() {
  const me = account.value;
  return (
    <Page>
      <Head title="Account" lead="You, in this workspace." />
      <div class="grid-2">
        <div class="stack">
          <Card>
            <div class="row" style={{ "--gap": "16px" }}>
              <Face person={me} size={56} />
              <div class="grow">
                <Name />
                <p class="muted clip">{me.email}</p>
              </div>
            </div>
            <dl class="facts inside">
              <Fact label="Role">{ROLES[me.role]}</Fact>
              <Fact label="Here since">{format.when(me.created_at).split(",")[0]}</Fact>
            </dl>
            <p class="small muted">{RIGHTS[me.role]}</p>
          </Card>
          <Card title="Look">
            <Segmented<Theme>
              label="Colours"
              value={theme.value}
              choices={[
                { value: "system", label: "System", icon: "system" },
                { value: "light", label: "Light", icon: "sun" },
                { value: "dark", label: "Dark", icon: "moon" },
              ]}
              onChange={setTheme}
            />
          </Card>
          {may("dataset.create") && <Stored />}
          <Deleted />
        </div>
        <div class="stack">
          <Password first={!me.has_password} />
          <Devices />
          <Tokens />
          <Card title="Sign out" note="Ends this sign-in. Others of yours, on other devices, go on.">
            <form method="post" action="/signout">
              <Button type="submit" icon="leave">
                Sign out
              </Button>
            </form>
          </Card>
        </div>
      </div>
      <p class="small muted">DAPP {boot.version}</p>
    </Page>
  );
}

const RIGHTS: Record<string, string> = {
  admin: "You run this workspace: you can do everything, and see who did what.",
  analyst: "You can upload data, train models, predict and share.",
  viewer: "You can look at what is shared with the team, and predict single cases.",
};

function Password({ first }: { first: boolean }) {
  const [present, setPresent] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [trouble, setTrouble] = useState("");
  const mismatch = again.length > 0 && again !== fresh;
  const ready = fresh.length >= SHORTEST && again === fresh && (first || present.length > 0);
  const save = () => {
    setTrouble("");
    return call("account.password", { current_password: first ? null : present, new_password: fresh }).then(
      async () => {
        account.value = await call<AccountRead>("account.me");
        setPresent("");
        setFresh("");
        setAgain("");
        toast({ tone: "good", title: first ? "Your password is set" : "Your password was changed" });
      },
      (error: Error) => setTrouble(error.message),
    );
  };
  return (
    <Card
      title={first ? "Set a password" : "Password"}
      note={first ? "You came by a one-use link. With a password you can sign in again from anywhere." : undefined}
    >
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void save();
        }}
      >
        <input class="hush" type="email" autocomplete="username" value={account.value.email} readOnly tabIndex={-1} aria-hidden="true" />
        {!first && <Input label="Present password" type="password" autocomplete="current-password" value={present} onInput={setPresent} />}
        <Input
          label="New password"
          type="password"
          autocomplete="new-password"
          value={fresh}
          onInput={setFresh}
          hint={
            fresh.length > 0 && fresh.length < SHORTEST
              ? `${SHORTEST - fresh.length} more characters`
              : `At least ${SHORTEST} characters; a few words that belong to nobody else are best`
          }
        />
        <Input
          label="New password again"
          type="password"
          autocomplete="new-password"
          value={again}
          onInput={setAgain}
          error={mismatch ? "The two are not the same yet" : undefined}
        />
        {trouble && <Notice tone="bad">{trouble}</Notice>}
        <div>
          <Button tone="main" disabled={!ready} onClick={save}>
            {first ? "Set password" : "Change password"}
          </Button>
        </div>
      </form>
    </Card>
  );
}
