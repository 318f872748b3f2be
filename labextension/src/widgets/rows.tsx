// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Progress } from './kit';

/** One line of a list. */
export interface IRow {
  key: string;
  /** What the context menu is about. */
  kind?: 'dataset' | 'model' | 'job';
  id?: string;
  icon: LabIcon;
  title: string;
  /** The second line. */
  detail: React.ReactNode;
  /** At the end of the second line: how long ago. */
  aside?: string;
  tooltip?: string;
  tone?: 'busy' | 'bad';
  /** From 0 to 1; null while it is not known how far. */
  progress?: number | null;
  actions?: React.ReactNode;
  onOpen?: () => void;
}

/**
 * A list of two-line rows. The arrow keys move through it, Enter opens, and Tab leaves it.
 */
export function Rows(props: {
  label: string;
  rows: readonly IRow[];
  children?: React.ReactNode;
}): React.ReactElement {
  const { label, rows, children } = props;
  const [active, setActive] = React.useState('');
  const list = React.useRef<HTMLUListElement>(null);
  const index = Math.max(
    0,
    rows.findIndex(row => row.key === active)
  );

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const moves: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      Home: 0,
      End: rows.length - 1
    };
    const to = rows[moves[event.key]];
    if (to) {
      event.preventDefault();
      setActive(to.key);
      list.current?.querySelectorAll<HTMLElement>('.jp-Dapp-row-main')[moves[event.key]]?.focus();
    }
  };

  return (
    <>
      <ul className="jp-Dapp-rows" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {rows.map((row, at) => (
          <Row key={row.key} row={row} isReachable={at === index} onFocus={() => setActive(row.key)} />
        ))}
      </ul>
      {children}
    </>
  );
}

function Row(props: { row: IRow; isReachable: boolean; onFocus: () => void }): React.ReactElement {
  const { row, isReachable, onFocus } = props;
  const Icon = row.icon;
  return (
    <li
      className={`jp-Dapp-row ${row.tone ? `jp-mod-${row.tone}` : ''}`}
      data-dapp-kind={row.kind}
      data-dapp-id={row.id}
      title={row.tooltip}
      onFocus={onFocus}
    >
      <button
        type="button"
        className="jp-Dapp-row-main"
        tabIndex={isReachable ? 0 : -1}
        aria-disabled={!row.onOpen}
        onClick={row.onOpen}
      >
        <Icon.react tag="span" className="jp-Dapp-row-icon" elementSize="normal" />
        <span className="jp-Dapp-row-text">
          <span className="jp-Dapp-row-title">{row.title}</span>
          <span className="jp-Dapp-row-detail">
            <span>{row.detail}</span>
            {row.aside && <span className="jp-Dapp-row-aside">{row.aside}</span>}
          </span>
        </span>
      </button>
      {row.actions && <span className="jp-Dapp-row-actions">{row.actions}</span>}
      {row.progress !== undefined && <Progress value={row.progress} label={row.title} />}
    </li>
  );
}
