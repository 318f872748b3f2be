// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { wording } from '../model';
import type { Trial } from '../schema';
import { Chip } from './kit';

/** Trials that are shown before the rest is folded away. */
const FIRST = 10;

/**
 * What was tried, best first, with each score as a bar between the worst and the best.
 */
export function LeaderboardTable(props: {
  trials: readonly Trial[];
  metric: string;
  trans: TranslationBundle;
}): React.ReactElement {
  const { trials, metric, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  const scores = trials.flatMap(trial => (trial.score === null ? [] : [trial.score]));
  const low = Math.min(...scores);
  const high = Math.max(...scores);
  const shown = isOpen ? trials : trials.slice(0, FIRST);
  const best = trials.find(trial => trial.is_best)?.score ?? high;
  // The better end of the scale is wherever the best is: errors are better when they are small.
  const share = (score: number): number =>
    high === low ? 1 : best === low ? (high - score) / (high - low) : (score - low) / (high - low);
  return (
    <>
      <table className="jp-Dapp-leaderboard">
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{trans.__('Candidate')}</th>
            <th scope="col">{metric}</th>
            <th scope="col" className="jp-mod-number">
              {trans.__('Time')}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((trial, index) => (
            <tr key={trial.number} className={trial.is_best ? 'jp-mod-best' : ''}>
              <td className="jp-mod-number">{index + 1}</td>
              <td title={parameters(trial)}>
                {trial.label || wording.familyName(trial.family, trans)}
                {trial.is_best && <Chip tone="good">{trans.__('best')}</Chip>}
                {trial.near_best && !trial.is_best && (
                  <Chip tone="plain" title={trans.__('Its score cannot be told from that of the best')}>
                    {trans.__('as good')}
                  </Chip>
                )}
                {trial.recommended && (
                  <Chip tone="busy" title={trans.__('The simplest of those that are as good as the best')}>
                    {trans.__('advised')}
                  </Chip>
                )}
              </td>
              <td>
                {trial.score === null ? (
                  <span className="jp-Dapp-faint" title={trial.error ?? undefined}>
                    {trial.status === 'stopped' ? trans.__('stopped') : trans.__('failed')}
                  </span>
                ) : (
                  <span className="jp-Dapp-score">
                    <span className="jp-Dapp-score-bar">
                      <span style={{ width: `${8 + share(trial.score) * 92}%` }} />
                    </span>
                    <span>{wording.figure(trial.score, best)}</span>
                    {trial.std !== null && (
                      <span className="jp-Dapp-faint">± {wording.figure(trial.std, best)}</span>
                    )}
                  </span>
                )}
              </td>
              <td className="jp-mod-number">{trans.__('%1 s', trial.seconds.toFixed(1))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {trials.length > FIRST && (
        <button
          type="button"
          className="jp-Dapp-link"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? trans.__('Show less') : trans.__('Show all %1', trials.length)}
        </button>
      )}
    </>
  );
}

function parameters(trial: Trial): string {
  return Object.entries(trial.params)
    .map(([name, value]) => `${name} = ${typeof value === 'number' ? wording.figure(value) : String(value)}`)
    .join('\n');
}
