// The queue: what waits and what runs, with the way to stop it.
import { type Failure, call } from "../calls";
import * as format from "../format";
import { moving } from "../live";
import { invalidate, useCall } from "../query";
import type { JobRead, Page } from "../schema";
import { nameOf } from "../session";
import { jobWords } from "../words";
import { Button } from "../parts/button";
import { Ago, Card, State, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

export function Queue() {
  const running = useCall<Page<JobRead>>("jobs.list", { status: "running", limit: 50 });
  const waiting = useCall<Page<JobRead>>("jobs.list", { status: "queued", limit: 50 });
  const jobs = [...(running.data?.items ?? []), ...(waiting.data?.items ?? [])];
  const stop = (job: JobRead) =>
    call("jobs.cancel", { ref: job.id }).then(
      () => invalidate((name) => name === "jobs.list"),
      (error: Failure) => toast({ tone: "bad", title: error.message }),
    );
  return (
    <Card
      title="Queue"
      note={
        jobs.length
          ? `${format.counted(running.data?.items.length ?? 0, "job runs", "jobs run")}, ${format.counted(waiting.data?.items.length ?? 0, "waits", "wait")}`
          : "Nothing runs and nothing waits."
      }
      flush
    >
      {running.error && <Trouble error={running.error} again={running.reload} />}
      <ul class="lines">
        {jobs.map((job) => (
          <li key={job.id} class="version-line">
            <span class="grow">
              <span class="row wrap" style={{ "--gap": "2px 8px" }}>
                <span class="strong">{jobWords(job)}</span>
                <State of={moving(job).status} />
              </span>
              <span class="small muted">
                {nameOf(job.owner)} · asked <Ago at={job.created_at} /> · {moving(job).message || `${Math.round(moving(job).progress * 100)}%`}
              </span>
            </span>
            <Button small onClick={() => stop(job)}>
              Stop
            </Button>
          </li>
        ))}
      </ul>
    </Card>
  );
}
