// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { ApiError } from '../api';
import { raised, wording } from '../model';
import type { Family, Fix, Guard, Results, Score, TrainRequest } from '../schema';
import { climb, ConfusionTable, CurveChart, ImportanceBars, ScatterChart, ScoreScale, Stair } from './charts';
import { Button } from './kit';
import { LeaderboardTable } from './leaderboard';

/**
 * All that is known about a trained model, most important first.
 */
export function ResultsView(props: {
  results: Results;
  trans: TranslationBundle;
  /** Train once more with a part of the recipe changed; missing where that may not be. */
  onAgain?: (change: Partial<TrainRequest>) => void;
  /** Scores the model again with a finding's fix; missing where that may not be. */
  rescoring?: IRescoring;
  /** What stands between the evidence and the leaderboard. */
  children?: React.ReactNode;
}): React.ReactElement {
  const { results, trans, onAgain, rescoring, children } = props;
  const metric = results.scores.find(each => each.name === results.metric)?.label ?? results.metric;
  return (
    <div className="jp-Dapp-results">
      <p className="jp-Dapp-sentence">
        {wording.answers(results.sentence, results.target_column?.kind, trans)}
      </p>
      <Advised results={results} trans={trans} onAgain={onAgain} />
      <section className="jp-Dapp-cards" aria-label={trans.__('Scores')}>
        {results.scores.map(score => (
          <ScoreCard
            key={score.name}
            score={score}
            isHeadline={score.name === results.metric}
            trans={trans}
          />
        ))}
      </section>
      <div className="jp-Dapp-columns2">
        <Card
          title={trans.__('What it looks at')}
          hint={trans.__('How much worse the score gets when a column is shuffled')}
        >
          <ImportanceBars
            importances={results.importances}
            features={results.features}
            label={trans.__('Importance of each column')}
          />
        </Card>
        <Card title={trans.__('Checks')} hint={results.split.sentence}>
          <Guards
            guards={results.guards}
            trans={trans}
            onFix={onAgain && (fix => onAgain(fix.change))}
            rescoring={rescoring}
          />
        </Card>
      </div>
      {children}
      <Evidence results={results} trans={trans} />
      <Card title={trans.__('Leaderboard')} hint={trans.__('Cross-validated on the training rows')}>
        <Stair
          scores={climb(results.leaderboard)}
          label={trans.__('The best score so far after each candidate')}
        />
        <LeaderboardTable trials={results.leaderboard} metric={metric} trans={trans} />
      </Card>
      <Footer results={results} trans={trans} />
    </div>
  );
}

function ScoreCard(props: {
  score: Score;
  isHeadline: boolean;
  trans: TranslationBundle;
}): React.ReactElement {
  const { score, isHeadline, trans } = props;
  const told = (value: number): string => wording.figure(value, score.value);
  const baseline = trans.__('Guessing reaches %1', told(score.baseline));
  return (
    <div className={`jp-Dapp-card jp-Dapp-scorecard ${isHeadline ? 'jp-mod-headline' : ''}`}>
      <div className="jp-Dapp-scorecard-label">{score.label}</div>
      <div className="jp-Dapp-scorecard-value">{told(score.value)}</div>
      <ScoreScale score={score} baselineLabel={baseline} />
      <div
        className="jp-Dapp-scorecard-facts"
        title={trans.__('The true value lies in this interval in 95 of 100 cases')}
      >
        {trans.__('%1 to %2', told(score.low), told(score.high))}
      </div>
      <div className="jp-Dapp-scorecard-facts">{baseline}</div>
    </div>
  );
}

/** Where several candidates are as good as the best, the simplest of them is advised. */
function Advised(props: {
  results: Results;
  trans: TranslationBundle;
  onAgain?: (change: Partial<TrainRequest>) => void;
}): React.ReactElement | null {
  const { results, trans, onAgain } = props;
  const near = results.leaderboard.filter(each => each.near_best);
  const advised = near.find(each => each.number === results.recommended);
  if (near.length < 2 || !advised) {
    return null;
  }
  // Two candidates of one kind bear one name: that one would do as well as itself tells nothing.
  const isBest = advised.number === results.best.number || advised.label === results.best.label;
  const others = [...new Set(near.map(each => each.label))].filter(each => each !== advised.label);
  const named = [...others.slice(0, 3), ...(others.length > 3 ? [trans.__('others')] : [])].join(', ');
  return (
    <div className="jp-Dapp-advised" role="note">
      <div>
        <p className="jp-Dapp-advised-title">
          {isBest
            ? trans.__('%1 candidates are equally good; this is the simplest of them', near.length)
            : trans.__('%1 would do as well', advised.label)}
        </p>
        <p className="jp-Dapp-hint">
          {isBest
            ? named
              ? trans.__('Its score cannot be told from that of %1.', named)
              : trans.__('They differ in their settings only.')
            : trans.__(
                '%1 candidates are not clearly worse than the best (%2). This is the simplest of them: easier to explain and quicker to ask.',
                near.length,
                results.best.label
              )}
        </p>
      </div>
      {!isBest && onAgain && (
        <Button onClick={() => onAgain({ families: [advised.family as Family] })}>
          {trans.__('Train only that kind')}
        </Button>
      )}
    </div>
  );
}

function Guards(props: {
  guards: readonly Guard[];
  trans: TranslationBundle;
  onFix?: (fix: Fix) => void;
  rescoring?: IRescoring;
}): React.ReactElement {
  const { guards, trans, onFix, rescoring } = props;
  const more =
    rescoring && ((guard: Guard) => <ScoreAgain guard={guard} rescoring={rescoring} trans={trans} />);
  const passed = guards.filter(guard => guard.state === 'passed');
  const isShort = passed.length <= 3;
  return (
    <>
      <GuardList guards={[...raised(guards), ...(isShort ? passed : [])]} onFix={onFix} more={more} />
      {!isShort && (
        <details className="jp-Dapp-more-guards">
          <summary>{trans._n('%1 check passed', '%1 checks passed', passed.length)}</summary>
          <GuardList guards={passed} />
        </details>
      )}
    </>
  );
}

/** Checks with what they found; a fix is one press. */
export function GuardList(props: {
  guards: readonly Guard[];
  onFix?: (fix: Fix) => void;
  /** What else can be done about it, beside its fixes. */
  more?: (guard: Guard) => React.ReactNode;
}): React.ReactElement {
  const { more, onFix } = props;
  const marks: Record<Guard['state'], string> = { alerted: '!', done: '•', passed: '✓' };
  return (
    <ul className="jp-Dapp-guards">
      {props.guards.map((guard, index) => (
        <li key={`${guard.code}-${index}`} className={`jp-mod-${guard.state}`}>
          <span className="jp-Dapp-guard-mark" aria-hidden="true">
            {marks[guard.state]}
          </span>
          <div className="jp-Dapp-guard-words">
            <span>{guard.sentence}</span>
            {guard.second && <span className="jp-Dapp-faint">{guard.second.sentence}</span>}
            {onFix && guard.fixes.length > 0 && (
              <span className="jp-Dapp-fixes">
                {guard.fixes.map(fix => (
                  <Button key={fix.label} onClick={() => onFix(fix)}>
                    {fix.label}
                  </Button>
                ))}
                {more?.(guard)}
              </span>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

/** What scores a model again. */
export interface IRescoring {
  scoreAgain: (guard: Guard) => Promise<void>;
  /** Whether that goes on for a finding. */
  isScoringAgain: (guard: Guard) => boolean;
}

/** What the score would be with the first fix, without another version: it is kept beside the first. */
function ScoreAgain(props: {
  guard: Guard;
  rescoring: IRescoring;
  trans: TranslationBundle;
}): React.ReactElement {
  const { guard, rescoring, trans } = props;
  const [problem, setProblem] = React.useState('');
  const isBusy = rescoring.isScoringAgain(guard);
  const words =
    guard.fixes[0]?.code === 'drop_columns'
      ? trans._n('Score without this column', 'Score without these columns', guard.columns.length)
      : trans.__('Score with this fix');
  const ask = async (): Promise<void> => {
    setProblem('');
    try {
      await rescoring.scoreAgain(guard);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      setProblem(wording.failureText(error, trans));
    }
  };
  return (
    <>
      <Button
        disabled={isBusy}
        title={trans.__('What the score would be; this model stays as it is')}
        onClick={() => void ask()}
      >
        {isBusy ? trans.__('Scoring…') : words}
      </Button>
      {problem && (
        <span className="jp-Dapp-problem" role="alert">
          {problem}
        </span>
      )}
    </>
  );
}

/** What each kind of curve is called, and its axes where several classes share them. */
function curveNames(trans: TranslationBundle): Record<string, readonly [string, string, string]> {
  return {
    roc: [trans.__('ROC curve'), trans.__('Share of the others named'), trans.__('Share found')],
    precision_recall: [
      trans.__('Precision and recall'),
      trans.__('Share found'),
      trans.__('Share right of those named')
    ],
    calibration: [
      trans.__('Calibration'),
      trans.__('Probability that the model gives'),
      trans.__('Share that is so')
    ],
    gain: [
      trans.__('Gain'),
      trans.__('Share of the rows looked at, likeliest first'),
      trans.__('Share found')
    ],
    residuals: [trans.__('Errors'), '', '']
  };
}

function Evidence(props: { results: Results; trans: TranslationBundle }): React.ReactElement | null {
  const { results, trans } = props;
  const { confusion, curves, scatter } = results;
  if (!confusion && !scatter && curves.length === 0) {
    return null;
  }
  return (
    <Card
      title={trans.__('On rows it never saw')}
      hint={trans._n('%2 row', '%2 rows', results.split.rows_test, wording.count(results.split.rows_test))}
    >
      <div className="jp-Dapp-charts">
        {confusion && (
          <ConfusionTable
            confusion={{
              ...confusion,
              classes: confusion.classes.map(each => wording.answer(each, results.target_column?.kind, trans))
            }}
            corner={trans.__('predicted →\ntrue ↓')}
            caption={trans.__('Right and wrong')}
          />
        )}
        {scatter && (
          <ScatterChart
            scatter={scatter}
            title={trans.__('Predicted against actual')}
            xLabel={trans.__('actual')}
            yLabel={trans.__('predicted')}
          />
        )}
        {[...new Set(curves.map(curve => curve.kind))].map(kind => {
          const same = curves.filter(curve => curve.kind === kind);
          const [title, x, y] = curveNames(trans)[kind] ?? [same[0].label, '', ''];
          const isOne = same.length === 1;
          return (
            <CurveChart
              key={kind}
              curves={same}
              title={title}
              xLabel={isOne || !x ? same[0].x_label : x}
              yLabel={isOne || !y ? same[0].y_label : y}
            />
          );
        })}
      </div>
    </Card>
  );
}

function Footer(props: { results: Results; trans: TranslationBundle }): React.ReactElement {
  const { results, trans } = props;
  const libraries = Object.entries(results.libraries).map(([name, version]) => `${name} ${version}`);
  const facts = [
    trans.__('%1 · version %2', results.dataset.name, results.dataset_version),
    trans.__(
      '%1 training rows, %2 test rows',
      wording.count(results.split.rows_train),
      wording.count(results.split.rows_test)
    ),
    trans.__('took %1', wording.duration(results.seconds, trans)),
    results.stopped_early ? trans.__('stopped early') : ''
  ];
  return (
    <footer className="jp-Dapp-faint">
      <p>{results.task_reason}</p>
      <p>{facts.filter(Boolean).join(' · ')}</p>
      <p>{libraries.join(', ')}</p>
    </footer>
  );
}

/** A box with a heading. */
export function Card(props: { title: string; hint?: string; children: React.ReactNode }): React.ReactElement {
  return (
    <section className="jp-Dapp-card" aria-label={props.title}>
      <h3>{props.title}</h3>
      {props.hint && <p className="jp-Dapp-hint">{props.hint}</p>}
      {props.children}
    </section>
  );
}
