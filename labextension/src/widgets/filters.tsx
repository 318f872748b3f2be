// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, closeIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { RowsSource } from '../model';
import { condition, conditionText, operatorName, operators, takesValue, withCondition } from '../model';
import type { Column, Filter, FilterOperator } from '../schema';
import { Button, IconButton } from './kit';

/**
 * The conditions that the rows fulfil, each to be taken away, and the way to one more.
 */
export function FilterBar(props: { rows: RowsSource; trans: TranslationBundle }): React.ReactElement {
  const { rows, trans } = props;
  const [isOpen, setOpen] = React.useState(false);
  const show = (filters: readonly Filter[]): void => void rows.show({ filters });
  return (
    <UseSignal signal={rows.changed}>
      {() => {
        const { columns, view } = rows;
        return (
          <div className="jp-Dapp-filters" role="group" aria-label={trans.__('Filters')}>
            {view.filters.map(filter => (
              <span className="jp-Dapp-filter" key={`${filter.column}\n${filter.op}`}>
                {conditionText(filter, trans)}
                <IconButton
                  icon={closeIcon}
                  label={trans.__('Take this filter away: %1', conditionText(filter, trans))}
                  onClick={() => show(view.filters.filter(each => each !== filter))}
                />
              </span>
            ))}
            {isOpen ? (
              <Editor
                columns={columns}
                trans={trans}
                onDone={filter => {
                  setOpen(false);
                  if (filter) {
                    show(withCondition(view.filters, filter));
                  }
                }}
              />
            ) : (
              <Button icon={addIcon} onClick={() => setOpen(true)}>
                {trans.__('Filter')}
              </Button>
            )}
            {view.filters.length > 1 && (
              <button type="button" className="jp-Dapp-link" onClick={() => show([])}>
                {trans.__('Show all rows')}
              </button>
            )}
          </div>
        );
      }}
    </UseSignal>
  );
}

function Editor(props: {
  columns: readonly Column[];
  trans: TranslationBundle;
  onDone: (filter: Filter | null) => void;
}): React.ReactElement {
  const { columns, trans, onDone } = props;
  const [name, setName] = React.useState(columns[0]?.name ?? '');
  const column = columns.find(each => each.name === name) ?? columns[0];
  const [op, setOp] = React.useState<FilterOperator>(operators(column.kind)[0]);
  const [texts, setTexts] = React.useState<readonly string[]>(['', '']);
  const filter = condition(column, op, texts);
  const first = React.useRef<HTMLSelectElement>(null);
  React.useEffect(() => first.current?.focus(), []);

  const field = (at: number, label: string): React.ReactElement => (
    <input
      type={column.kind === 'date' ? 'date' : 'text'}
      aria-label={label}
      placeholder={
        op === 'in' ? trans.__('a, b, c') : column.kind === 'boolean' ? trans.__('yes or no') : label
      }
      value={texts[at]}
      onChange={event => setTexts(texts.map((text, each) => (each === at ? event.target.value : text)))}
    />
  );

  return (
    <form
      className="jp-Dapp-filter-editor"
      aria-label={trans.__('New filter')}
      onSubmit={event => {
        event.preventDefault();
        if (filter) {
          onDone(filter);
        }
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onDone(null);
        }
      }}
    >
      <select
        ref={first}
        aria-label={trans.__('Column')}
        value={column.name}
        onChange={event => {
          const next = columns.find(each => each.name === event.target.value) ?? column;
          setName(next.name);
          if (!operators(next.kind).includes(op)) {
            setOp(operators(next.kind)[0]);
          }
        }}
      >
        {columns.map(each => (
          <option key={each.name} value={each.name}>
            {each.name}
          </option>
        ))}
      </select>
      <select
        aria-label={trans.__('Condition')}
        value={op}
        onChange={event => setOp(event.target.value as FilterOperator)}
      >
        {operators(column.kind).map(each => (
          <option key={each} value={each}>
            {operatorName(each, trans)}
          </option>
        ))}
      </select>
      {takesValue(op) && field(0, op === 'between' ? trans.__('from') : trans.__('Value'))}
      {op === 'between' && field(1, trans.__('to'))}
      <Button kind="primary" submits disabled={!filter}>
        {trans.__('Apply')}
      </Button>
      <IconButton icon={closeIcon} label={trans.__('Cancel')} onClick={() => onDone(null)} />
    </form>
  );
}
