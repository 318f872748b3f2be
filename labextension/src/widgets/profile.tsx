// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import { undoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { DatasetView } from '../model';
import { wording } from '../model';
import type { ColumnProfile, Filter, Finding, FixCode, Profile } from '../schema';
import { fixIcon } from './icons';
import { Button } from './kit';

/** Findings that are shown before the rest is folded away. */
const FIRST = 4;

/**
 * What is in a dataset and what is wrong with it.
 */
export function ProfilePane(props: {
  profile: Profile;
  trans: TranslationBundle;
  view: DatasetView;
  onRow: (row: number) => void;
  onFilter: (filter: Filter) => void;
}): React.ReactElement {
  const { profile, trans, view, onRow, onFilter } = props;
  return (
    <section className="jp-Dapp-profile" aria-label={trans.__('Profile')}>
      <h3>{trans.__('Findings')}</h3>
      <Mended view={view} trans={trans} />
      <Findings profile={profile} trans={trans} view={view} onRow={onRow} />
      <h3>{trans.__('Columns')}</h3>
      <ul className="jp-Dapp-columns">
        {profile.columns.map(column => (
          <ColumnCard
            key={column.name}
            column={column}
            rows={profile.rows}
            unit={view.dataset?.schema.find(({ name }) => name === column.name)?.unit ?? null}
            isTarget={column.name === profile.likely_target}
            trans={trans}
            onFilter={onFilter}
          />
        ))}
      </ul>
    </section>
  );
}

/** What the last fix did, with the way back; or why one was refused. */
function Mended(props: { view: DatasetView; trans: TranslationBundle }): React.ReactElement | null {
  const { view, trans } = props;
  const { lastFix, mendFailure, mayMend, isMending } = view;
  return (
    <>
      {mendFailure && (
        <div className="jp-Dapp-problem" role="alert">
          {wording.failureText(mendFailure, trans)}
        </div>
      )}
      {isMending && (
        <div className="jp-Dapp-mended" role="status">
          <span>{trans.__('Making a new version…')}</span>
        </div>
      )}
      {lastFix && !isMending && (
        <div className="jp-Dapp-mended" role="status">
          <span>{lastFix.sentence}</span>
          {mayMend && (
            <Button icon={undoIcon} onClick={() => void view.undo()}>
              {trans.__('Undo')}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

function Findings(props: {
  profile: Profile;
  trans: TranslationBundle;
  view: DatasetView;
  onRow: (row: number) => void;
}): React.ReactElement {
  const { profile, trans, view, onRow } = props;
  const [isOpen, setOpen] = React.useState(false);
  const { findings } = profile;
  if (findings.length === 0) {
    return <p className="jp-Dapp-nothing">{trans.__('Nothing stands out.')}</p>;
  }
  const shown = isOpen ? findings : findings.slice(0, FIRST);
  return (
    <>
      <ul className="jp-Dapp-findings">
        {shown.map((finding, index) => (
          <FindingCard
            key={`${finding.code}-${index}`}
            finding={finding}
            trans={trans}
            view={view}
            onRow={onRow}
          />
        ))}
      </ul>
      {findings.length > FIRST && (
        <button
          type="button"
          className="jp-Dapp-link"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? trans.__('Show less') : trans.__('Show all %1', findings.length)}
        </button>
      )}
    </>
  );
}

function FindingCard(props: {
  finding: Finding;
  trans: TranslationBundle;
  view: DatasetView;
  onRow: (row: number) => void;
}): React.ReactElement {
  const { finding, trans, view, onRow } = props;
  const { fix } = finding;
  return (
    <li className={`jp-Dapp-finding jp-mod-${finding.severity}`}>
      <span>{finding.sentence}</span>
      {finding.rows.length > 0 && (
        <span className="jp-Dapp-finding-rows">
          {trans.__('Rows')}{' '}
          {finding.rows.slice(0, 5).map(row => (
            <button type="button" key={row} className="jp-Dapp-link" onClick={() => onRow(row)}>
              {row}
            </button>
          ))}
        </span>
      )}
      {fix && view.mayMend && (
        <span className="jp-Dapp-fixes">
          <Button
            icon={fixIcon}
            title={fix.sentence}
            disabled={view.isMending}
            onClick={() => void view.mend(finding)}
          >
            {fixName(fix.code, trans)}
          </Button>
        </span>
      )}
    </li>
  );
}

function fixName(code: FixCode, trans: TranslationBundle): string {
  const names: Record<FixCode, string> = {
    drop_duplicate_rows: trans.__('Drop the repeats'),
    drop_columns: trans.__('Leave it out'),
    drop_missing_rows: trans.__('Drop these rows'),
    fill_missing: trans.__('Fill the gaps'),
    mark_missing: trans.__('Mark as missing'),
    convert: trans.__('Convert'),
    clip_outliers: trans.__('Clip'),
    clear_infinite: trans.__('Clear'),
    log_scale: trans.__('Use the logarithm'),
    group_rare: trans.__('Group the rare'),
    cut_texts: trans.__('Cut the texts'),
    normalise_texts: trans.__('Make them equal'),
    parse_dates: trans.__('Read as dates'),
    fill_gaps: trans.__('Fill the gaps'),
    drop_header_rows: trans.__('Drop the headers'),
    drop_rows: trans.__('Drop these rows')
  };
  return names[code] ?? trans.__('Mend it');
}

function ColumnCard(props: {
  column: ColumnProfile;
  rows: number;
  unit: string | null;
  isTarget: boolean;
  trans: TranslationBundle;
  onFilter: (filter: Filter) => void;
}): React.ReactElement {
  const { column, rows, unit, isTarget, trans, onFilter } = props;
  const share = rows ? column.missing / rows : 0;
  return (
    <li className="jp-Dapp-column">
      <div className="jp-Dapp-column-head">
        <span className="jp-Dapp-column-name" title={column.name}>
          {column.name}
        </span>
        {isTarget && (
          <span
            className="jp-Dapp-chip jp-mod-good"
            title={trans.__('The column that is most likely to be predicted')}
          >
            {trans.__('likely target')}
          </span>
        )}
        <span className="jp-Dapp-column-kind">
          {wording.columnLabel(wording.kindName(column.kind, trans), unit)}
        </span>
      </div>
      <Shape column={column} trans={trans} onFilter={onFilter} />
      <div className="jp-Dapp-column-facts">{facts(column, trans)}</div>
      {column.missing > 0 && (
        <div
          className="jp-Dapp-missing"
          title={trans.__('%1 of %2 rows', wording.count(column.missing), wording.count(rows))}
        >
          <span className="jp-Dapp-missing-bar">
            <span style={{ width: `${Math.max(2, share * 100)}%` }} />
          </span>
          {trans.__('%1 % missing', percent(share))}
        </div>
      )}
    </li>
  );
}

/** A small picture of the values: bars for numbers, the most frequent ones for everything else. */
function Shape(props: {
  column: ColumnProfile;
  trans: TranslationBundle;
  onFilter: (filter: Filter) => void;
}): React.ReactElement | null {
  const { column, trans, onFilter } = props;
  const { histogram, top } = column;
  if (histogram && histogram.counts.length > 0) {
    const most = Math.max(...histogram.counts, 1);
    const width = 100 / histogram.counts.length;
    return (
      <svg className="jp-Dapp-histogram" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
        {histogram.counts.map((count, index) => {
          const height = count ? Math.max(1, (count / most) * 24) : 0;
          return (
            <rect key={index} x={index * width + 0.3} width={width - 0.6} y={24 - height} height={height} />
          );
        })}
      </svg>
    );
  }
  if (top.length > 0) {
    const most = Math.max(...top.map(each => each.count), 1);
    return (
      <ul className="jp-Dapp-top">
        {top.slice(0, 4).map(each => (
          <li key={each.value}>
            <button
              type="button"
              title={trans.__('Show only the rows with %1', wording.answer(each.value, column.kind, trans))}
              onClick={() =>
                onFilter({ column: column.name, op: 'eq', value: plainValue(column, each.value) })
              }
            >
              <span className="jp-Dapp-top-bar" style={{ width: `${(each.count / most) * 100}%` }} />
              <span className="jp-Dapp-top-value">{wording.answer(each.value, column.kind, trans)}</span>
              <span className="jp-Dapp-top-count">{wording.count(each.count)}</span>
            </button>
          </li>
        ))}
      </ul>
    );
  }
  return null;
}

/** A value of the profile, which is a text there, as the column has it. */
function plainValue({ kind }: ColumnProfile, value: string): unknown {
  if (kind === 'boolean') {
    return value.toLowerCase() === 'true';
  }
  return kind === 'integer' || kind === 'decimal' ? Number(value) : value;
}

function facts(column: ColumnProfile, trans: TranslationBundle): string {
  const distinct = column.distinct_exact
    ? trans._n('%2 value', '%2 values', column.distinct, wording.count(column.distinct))
    : trans.__('about %1 values', wording.count(column.distinct));
  if (column.kind === 'boolean') {
    return column.mean === null ? distinct : trans.__('%1 % yes', percent(column.mean));
  }
  const range =
    column.minimum !== null && column.maximum !== null
      ? trans.__('%1 to %2', plain(column.minimum), plain(column.maximum))
      : '';
  const mean = column.mean !== null ? trans.__('mean %1', wording.figure(column.mean)) : '';
  return [distinct, range, mean].filter(Boolean).join(' · ');
}

function plain(value: unknown): string {
  return typeof value === 'number' ? wording.figure(value) : String(value).replace('T00:00:00', '');
}

function percent(share: number): string {
  return share < 0.001 ? '< 0.1' : (share * 100).toFixed(share < 0.1 ? 1 : 0);
}
