// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { wording } from '../model';
import type { Told } from '../model';
import { IconButton } from './kit';

/**
 * What everybody is told, above the lists: maintenance first, then announcements.
 */
export function Notices(props: { told: Told; trans: TranslationBundle }): React.ReactElement {
  const { told, trans } = props;
  return (
    <UseSignal signal={told.changed}>
      {() => (
        <>
          {told.maintenance && <Maintenance told={told} trans={trans} />}
          {told.announcements.map(each => (
            <div key={each.id} className={`jp-Dapp-told jp-mod-${each.severity}`} role="status">
              <span>{each.message}</span>
              <IconButton
                icon={closeIcon}
                label={trans.__('Hide this announcement')}
                onClick={() => told.hide(each.id)}
              />
            </div>
          ))}
        </>
      )}
    </UseSignal>
  );
}

function Maintenance(props: { told: Told; trans: TranslationBundle }): React.ReactElement | null {
  const { told, trans } = props;
  const [left, setLeft] = React.useState(told.secondsLeft());
  const { maintenance } = told;
  React.useEffect(() => {
    setLeft(told.secondsLeft());
    const timer = setInterval(() => setLeft(told.secondsLeft()), 500);
    return () => clearInterval(timer);
  }, [told, maintenance]);
  if (!maintenance) {
    return null;
  }
  const title =
    left > 0
      ? trans.__('Maintenance begins in %1.', wording.duration(Math.ceil(left), trans))
      : trans.__('Maintenance is under way: nothing new is taken in.');
  return (
    <div className="jp-Dapp-told jp-mod-alert" role="status">
      <span>
        <strong>{title}</strong> {maintenance.message}
      </span>
    </div>
  );
}
