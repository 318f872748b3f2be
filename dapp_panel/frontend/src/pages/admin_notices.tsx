// What an administrator tells everybody: announcements, and maintenance.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import type { AnnouncementRead, MaintenanceRead, Page } from "../schema";
import { nameOf } from "../session";
import { Button } from "../parts/button";
import { ask } from "../parts/dialog";
import { Input, Select } from "../parts/field";
import { Ago, Badge, Card, Notice, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

const again = () => invalidate((name) => /^(announcements|maintenance)\./.test(name));
const failed = (error: Failure) => toast({ tone: "bad", title: error.message });

export function Notices() {
  return (
    <div class="grid-2">
      <Announce />
      <Works />
    </div>
  );
}

function Announce() {
  const history = useCall<Page<AnnouncementRead>>("announcements.history");
  const [message, setMessage] = useState("");
  const [severity, setSeverity] = useState("info");
  const [hours, setHours] = useState("24");
  const [begins, setBegins] = useState("");
  const [trouble, setTrouble] = useState("");
  const send = () => {
    const starts = begins ? new Date(begins) : new Date();
    const ends = hours === "0" ? null : new Date(starts.getTime() + Number(hours) * 3_600_000).toISOString();
    return call<AnnouncementRead>("announcements.create", {
      message: message.trim(),
      severity,
      starts_at: begins ? starts.toISOString() : null,
      ends_at: ends,
    }).then(
      (made) => {
        setMessage("");
        setBegins("");
        setTrouble("");
        again();
        toast({ tone: "good", title: made.is_current ? "Everybody sees it now" : `Everybody will see it from ${format.when(made.starts_at)} on` });
      },
      (error: Failure) => setTrouble(error.message),
    );
  };
  return (
    <Card title="Announcements" note="Shown at the top of every page, and behind the bell.">
      <div class="stack">
        <Input label="Message" value={message} onInput={setMessage} placeholder="The sales data of March is complete" error={trouble} />
        <div class="two">
          <Select
            label="Kind"
            value={severity}
            choices={[
              ["info", "Good to know"],
              ["warning", "Take care"],
              ["alert", "Serious"],
            ]}
            onChange={setSeverity}
          />
          <Select
            label="Shown for"
            value={hours}
            choices={[
              ["1", "an hour"],
              ["24", "a day"],
              ["168", "a week"],
              ["0", "until withdrawn"],
            ]}
            onChange={setHours}
          />
        </div>
        <Input label="Begins" type="datetime-local" value={begins} onInput={setBegins} hint="At once where it is left empty." />
        <div>
          <Button tone="main" icon="megaphone" disabled={!message.trim()} onClick={send}>
            Announce
          </Button>
        </div>
        {history.error && <Trouble error={history.error} again={history.reload} />}
        <ul class="share-list">
          {history.data?.items.slice(0, 12).map((each) => (
            <li key={each.id} class="share-line">
              <span class="grow">
                <span>{each.message}</span>
                <span class="small muted" style={{ display: "block" }}>
                  {nameOf(each.author)} · <Ago at={each.created_at} /> {each.is_current && <Badge tone="good">Shown now</Badge>}
                  {each.is_coming && <Badge tone="plain">From {format.when(each.starts_at)} on</Badge>}
                </span>
              </span>
              {(each.is_current || each.is_coming) && (
                <Button small onClick={() => call("announcements.withdraw", { ref: each.id }).then(again, failed)}>
                  Withdraw
                </Button>
              )}
            </li>
          ))}
        </ul>
      </div>
    </Card>
  );
}

function Works() {
  const found = useCall<MaintenanceRead>("maintenance.read");
  const [message, setMessage] = useState("");
  const [when, setWhen] = useState("15");
  const [minutes, setMinutes] = useState("30");
  const off = found.data?.state === "off";
  const start = () =>
    ask({
      title: when === "0" ? "Begin maintenance now?" : `Announce maintenance in ${when} minutes?`,
      words: "From its beginning on nothing new is taken in: no uploads, no trainings. Work under way goes on to its end, and everything can be looked at.",
      yes: when === "0" ? "Begin" : "Announce",
      act: () => call("maintenance.start", { message: message.trim(), in_minutes: Number(when), minutes: Number(minutes) }).then(again),
    });
  return (
    <Card title="Maintenance">
      {found.error && <Trouble error={found.error} again={found.reload} />}
      {found.data && !off && (
        <div class="stack">
          <Notice tone="warn" title={found.data.state === "on" ? "Maintenance is under way" : "Maintenance is announced"}>
            {found.data.message} {found.data.running_jobs > 0 && `${found.data.running_jobs} jobs still run to their end.`}
          </Notice>
          <div>
            <Button tone="main" onClick={() => call("maintenance.end").then(again, failed)}>
              {found.data.state === "on" ? "End it" : "Call it off"}
            </Button>
          </div>
        </div>
      )}
      {off && (
        <div class="stack">
          <p class="muted">Everything works as usual.</p>
          <Input label="What is done" value={message} onInput={setMessage} placeholder="A new release" />
          <div class="two">
            <Select
              label="Begins"
              value={when}
              choices={[
                ["0", "now"],
                ["5", "in 5 minutes"],
                ["15", "in 15 minutes"],
                ["60", "in an hour"],
              ]}
              onChange={setWhen}
            />
            <Select
              label="Takes about"
              value={minutes}
              choices={[
                ["10", "10 minutes"],
                ["30", "half an hour"],
                ["120", "two hours"],
              ]}
              onChange={setMinutes}
            />
          </div>
          <div>
            <Button icon="fix" onClick={start}>
              {when === "0" ? "Begin maintenance" : "Announce maintenance"}
            </Button>
          </div>
        </div>
      )}
    </Card>
  );
}
