// Activity: work in the background, and what the team did.
import * as format from "../format";
import { moving } from "../live";
import { useCall } from "../query";
import { place, refine, to } from "../router";
import type { Event, JobRead, Page as Listed } from "../schema";
import { may, nameOf } from "../session";
import { isAboutThing, jobWords, tell } from "../words";
import { call } from "../calls";
import { Button, Segmented } from "../parts/button";
import { Icon } from "../parts/icon";
import { Ago, Bones, Card, Empty, Face, Progress, State, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";
import { Head, Page } from "../shell/page";

const FILTERS = [
  { value: "", label: "All" },
  { value: "running", label: "Running" },
  { value: "queued", label: "Waiting" },
  { value: "failed", label: "Failed" },
] as const;

export function Activity() {
  const status = place.value.query.get("status") ?? "";
  const jobs = useCall<Listed<JobRead>>("jobs.list", { status: status || null, limit: 60 }, { keep: true });
  const events = useCall<Event[]>("events.recent", { limit: 60 });
  return (
    <Page>
      <Head title="Activity" lead="Work in the background, and what your team did. Everything here moves by itself." />
      <div class="home-grid">
        <Card
          title="Jobs"
          flush
          action={<Segmented label="Which jobs" value={status} choices={[...FILTERS]} onChange={(value) => refine({ status: value })} />}
        >
          {jobs.error && <Trouble error={jobs.error} again={jobs.reload} />}
          {!jobs.data && !jobs.error && (
            <div class="pad">
              <Bones lines={5} height={52} />
            </div>
          )}
          {jobs.data?.items.length === 0 && (
            <Empty icon="activity" title={status ? "None of these right now" : "Nothing has run yet"}>
              Reading a file, training and predicting show up here while they go on.
            </Empty>
          )}
          <ul class="lines">
            {jobs.data?.items.map((job) => (
              <Job key={job.id} job={job} />
            ))}
          </ul>
        </Card>
        <Card title="Team" class="home-feed">
          {events.data ? <Feed events={events.data} /> : <Bones lines={6} height={40} />}
        </Card>
      </div>
    </Page>
  );
}

function Job({ job }: { job: JobRead }) {
  const now = moving(job);
  const alive = job.status === "queued" || job.status === "running";
  const href = to(job.kind === "ingest" || job.kind === "fix" ? `/datasets/${job.subject.id}` : `/models/${job.subject.id}`);
  const cancel = () =>
    call("jobs.cancel", { ref: job.id }).then(
      () => toast({ title: `${jobWords(job)} is being stopped` }),
      (error: Error) => toast({ tone: "bad", title: error.message }),
    );
  return (
    <li class="line job">
      <span class="line-sign">
        <Icon name={job.kind === "ingest" || job.kind === "fix" ? "data" : job.kind === "train" ? "train" : "predict"} />
      </span>
      <div class="grow stack" style={{ "--gap": "4px" }}>
        <div class="row wrap" style={{ "--gap": "4px 10px" }}>
          <a class="plain-link strong" href={href}>
            {jobWords(job)}
          </a>
          <State of={alive ? now.status : job.status} />
        </div>
        {alive && <Progress value={now.progress} label={jobWords(job)} />}
        <p class={`small ${job.error ? "bad-text" : "muted"}`}>{job.error ?? (alive ? now.message || "Waiting for a worker" : took(job))}</p>
        <p class="small muted">
          {nameOf(job.owner)} · <Ago at={job.created_at} />
          {job.attempt > 1 ? ` · attempt ${job.attempt}` : ""}
        </p>
      </div>
      {alive && may("job.cancel", { owner: job.owner, visibility: "private" }) && (
        <Button small onClick={cancel}>
          Cancel
        </Button>
      )}
    </li>
  );
}

function took(job: JobRead): string {
  if (!job.started_at || !job.finished_at) return "";
  return `Took ${format.took((Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000)}`;
}

/** What happened, newest first. */
export function Feed({ events }: { events: Event[] }) {
  const told = events.map((event) => ({ event, said: tell(event) })).filter((each) => each.said !== null);
  if (told.length === 0) return <p class="muted">Quiet so far. What your team uploads, trains and predicts is told here.</p>;
  return (
    <ul class="feed">
      {told.map(({ event, said }) => {
        const about = isAboutThing(event.type) || !event.actor || event.type.startsWith("user.");
        const thing = said?.href ? (
          <a class="plain-link strong" href={said.href}>
            {said.name}
          </a>
        ) : (
          <span class="strong">{said?.name}</span>
        );
        return (
          <li key={event.id}>
            {about ? (
              <span class={`feed-sign ${said?.tone ?? ""}`}>
                <Icon
                  name={event.type.startsWith("user") ? "person" : said?.tone === "bad" ? "alert" : said?.tone === "good" ? "check" : "activity"}
                  size={16}
                />
              </span>
            ) : (
              <Face person={event.actor ?? { id: "", name: "" }} size={30} />
            )}
            <div class="grow">
              <p>
                {about ? (
                  <>
                    {thing} {said?.words}
                  </>
                ) : (
                  <>
                    <span class="strong">{nameOf(event.actor)}</span> {said?.words} {thing}
                  </>
                )}
              </p>
              <p class="small muted">
                <Ago at={event.at} />
              </p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
