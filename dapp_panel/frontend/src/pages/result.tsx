// The first screen of a result: one sentence, how far to trust it, how much better than guessing, what drives it, what to do next.
import * as format from "../format";
import { to } from "../router";
import type { ModelRead, Results } from "../schema";
import { headline, lamp, targetKind, unitOf } from "../words";
import { Bars, Better } from "../charts/small";
import { may } from "../session";
import { Button } from "../parts/button";
import { Icon, type IconName } from "../parts/icon";
import { Card, Notice } from "../parts/surface";

const LAMPS: Record<string, IconName> = { good: "passed", warn: "warn", bad: "alert" };

export function Result({ model, results }: { model: ModelRead; results: Results }) {
  const trust = lamp(results);
  const head = headline(results);
  const drivers = results.importances.filter((each) => each.value > 0).slice(0, 5);
  const total = results.importances.reduce((sum, each) => sum + Math.max(0, each.value), 0);
  return (
    <>
      <section class="verdict">
        <p class="verdict-sentence">{format.answers(results.sentence, targetKind(results))}</p>
        <div class={`lamp ${trust.tone}`}>
          <Icon name={LAMPS[trust.tone] ?? "info"} size={22} />
          <div>
            <p class="strong">{trust.title}</p>
            <p>{trust.words}</p>
          </div>
        </div>
      </section>
      {results.stopped_early && (
        <Notice title="The search was stopped early">The best candidate so far was kept. Training longer may find a better one.</Notice>
      )}
      <Advised results={results} />
      <div class="grid-2 level">
        {head && (
          <Card title="Better than guessing?" note={`On ${format.counted(results.split.rows_test, "row")} that it had never seen`}>
            <div>
              <p class="big-figure">{head.ours}</p>
              <p class="muted">{format.sentence(head.guess)}</p>
            </div>
            <Better score={head.score} words={{ ours: head.ours, guess: head.guess }} unit={results.target_column?.unit} />
            <p class="small muted">The marked band is where the true value lies, 95 times of 100: {head.range}.</p>
          </Card>
        )}
        <Card title="What drives it" note="How much worse it gets when a column is shuffled. Importance is not cause.">
          {drivers.length > 0 ? (
            <Bars
              rows={drivers.map((each) => ({
                name: format.named(each.column, unitOf(results, each.column)),
                value: each.value,
                text: format.percent(total ? each.value / total : 0),
              }))}
            />
          ) : (
            <p class="muted">No single column matters by itself.</p>
          )}
        </Card>
      </div>
      <nav class="next-steps" aria-label="What to do next">
        <Step icon="predict" title="Use it" words="Predict one case, or score a whole file." href={to(`/models/${model.id}/predict`)} main />
        {results.decisions && (
          <Step
            icon="tune"
            title="Tune the decision"
            words={`When is it “${format.answer(results.decisions.positive, targetKind(results))}”? By cost, or by how many can be looked at.`}
            href={to(`/models/${model.id}/tune`)}
          />
        )}
        <Step
          icon="chart"
          title="See the evidence"
          words="Scores, curves, mistakes, every check and every candidate."
          href={to(`/models/${model.id}/evidence`)}
        />
        <Step
          icon="data"
          title="Look at the data"
          words={`${results.dataset.name}, version ${results.dataset_version}`}
          href={to(`/datasets/${results.dataset.id}`)}
        />
      </nav>
    </>
  );
}

/** Where several candidates are as good as the best, the simplest of them is advised. */
function Advised({ results }: { results: Results }) {
  const near = results.leaderboard.filter((each) => each.near_best);
  const advised = near.find((each) => each.number === results.recommended);
  if (near.length < 2 || !advised) return null;
  if (advised.number === results.best.number) {
    return (
      <Notice title={`${near.length} candidates are equally good; this is the simplest of them`}>{`Its score cannot be told from that of ${format.listed(
        near.filter((each) => each !== advised).map((each) => each.label),
        3,
      )}.`}</Notice>
    );
  }
  const family = advised.family;
  return (
    <Notice
      title={`${advised.label} would do as well`}
      action={
        may("model.train") && (
          <Button small href={to("/train", { dataset: results.dataset.id, target: results.target, families: family })}>
            Train only that kind
          </Button>
        )
      }
    >
      {`${near.length} candidates are not clearly worse than the best (${results.best.label}). This is the simplest of them; it is easier to explain and quicker to ask.`}
    </Notice>
  );
}

function Step({ icon, title, words, href, main }: { icon: IconName; title: string; words: string; href: string; main?: boolean }) {
  return (
    <a class={`step-card ${main ? "main" : ""}`} href={href}>
      <span class="step-sign">
        <Icon name={icon} size={22} />
      </span>
      <span>
        <span class="strong">{title}</span>
        <span class="step-words">{words}</span>
      </span>
      <Icon name="forward" />
    </a>
  );
}
