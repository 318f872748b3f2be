// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Advising, IApplied } from '../model';
import { raised, wording } from '../model';
import type { Advice, Fix } from '../schema';
import { IconButton } from './kit';
import { Card, GuardList } from './results';

/**
 * What a training would do, and what should be looked at before it starts, each with its one-press fix.
 */
export function AdviceCard<T>(props: {
  advising: Advising;
  applied: readonly IApplied<T>[];
  trans: TranslationBundle;
  onFix: (fix: Fix) => void;
  onUndo: (fix: Fix) => void;
}): React.ReactElement {
  const { advising, applied, trans, onFix, onUndo } = props;
  return (
    <UseSignal signal={advising.changed}>
      {() => {
        const { advice, failure, isAsking } = advising;
        return (
          <Card title={trans.__('Before it starts')}>
            <div className={`jp-Dapp-advice ${isAsking ? 'jp-mod-asking' : ''}`} aria-live="polite">
              {failure && <div className="jp-Dapp-problem">{wording.failureText(failure, trans)}</div>}
              {!failure && !advice && <p className="jp-Dapp-faint">{trans.__('Looking at the columns…')}</p>}
              {!failure && advice && <Told advice={advice} trans={trans} onFix={onFix} />}
              {applied.length > 0 && (
                <div className="jp-Dapp-applied">
                  {applied.map(({ fix }) => (
                    <span className="jp-Dapp-filter" key={fix.label}>
                      {fix.label}
                      <IconButton
                        icon={closeIcon}
                        label={trans.__('Undo: %1', fix.label)}
                        onClick={() => onUndo(fix)}
                      />
                    </span>
                  ))}
                </div>
              )}
            </div>
          </Card>
        );
      }}
    </UseSignal>
  );
}

function Told(props: {
  advice: Advice;
  trans: TranslationBundle;
  onFix: (fix: Fix) => void;
}): React.ReactElement {
  const { advice, trans, onFix } = props;
  const found = raised(advice.guards);
  const passed = advice.guards.length - found.length;
  return (
    <>
      <p>{advice.sentence}</p>
      <p className="jp-Dapp-hint">{advice.validation.reason}</p>
      {found.length > 0 && <GuardList guards={found} onFix={onFix} />}
      {passed > 0 && (
        <p className="jp-Dapp-hint">
          {trans._n(
            '%1 check passed. Leaks, repeated rows and rare answers are looked for as soon as it starts.',
            '%1 checks passed. Leaks, repeated rows and rare answers are looked for as soon as it starts.',
            passed
          )}
        </p>
      )}
    </>
  );
}
