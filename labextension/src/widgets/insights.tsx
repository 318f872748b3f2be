// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { deleteIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { InsightsView } from '../model';
import { wording } from '../model';
import type { InsightRead, TableRead } from '../schema';
import type { IContext } from './context';
import { insertIcon, insightIcon } from './icons';
import { Button, IconButton, Message } from './kit';
import { PagePanel } from './panel';

/** What a user types; not a text to translate. */
const EXAMPLE = 'client.publish(figure, "What it shows")';
/** Rows of a table that are shown. */
const SHOWN = 12;

/**
 * What was published from notebooks, in a tab: pictures and tables under their titles.
 */
export class InsightsPanel extends PagePanel<InsightsView> {
  protected draw(): React.ReactElement {
    return <Page context={this.context} view={this.view} />;
  }
}

function Page(props: { context: IContext; view: InsightsView }): React.ReactElement {
  const { context, view } = props;
  const { trans } = context;
  const { items, isLoaded, failure, hasMore } = view.insights;
  return (
    <>
      <header className="jp-Dapp-head">
        <div className="jp-Dapp-head-what">
          <h2>{trans.__('Insights')}</h2>
          <p>
            {trans.__(
              'Figures and tables that notebooks have published; everybody sees them on the dashboard'
            )}
          </p>
        </div>
      </header>
      {items.length === 0 ? (
        <Message
          icon={insightIcon}
          tone={failure ? 'bad' : 'plain'}
          title={
            failure
              ? wording.failureText(failure, trans)
              : isLoaded
                ? trans.__('Nothing has been published yet')
                : trans.__('Opening…')
          }
        >
          {isLoaded && (
            <>
              <p>{trans.__('In a notebook, with any figure or table:')}</p>
              <code>{EXAMPLE}</code>
            </>
          )}
        </Message>
      ) : (
        <div className="jp-Dapp-page-body jp-Dapp-insights">
          {items.map(insight => (
            <InsightCard key={insight.id} insight={insight} context={context} view={view} />
          ))}
        </div>
      )}
      {hasMore && (
        <div className="jp-Dapp-more">
          <Button onClick={() => void view.insights.more()}>{trans.__('Show more')}</Button>
        </div>
      )}
    </>
  );
}

function InsightCard(props: {
  insight: InsightRead;
  context: IContext;
  view: InsightsView;
}): React.ReactElement {
  const { insight, context, view } = props;
  const { commands, trans, workspace } = context;
  const { id, title, note, owner, dataset, model } = insight;
  const content = view.content(insight);
  const isMine = owner.id === workspace.account?.id || workspace.account?.role === 'admin';
  return (
    <article className="jp-Dapp-card jp-Dapp-insight" data-dapp-insight={id} aria-label={title}>
      <header>
        <h3 title={title}>{title}</h3>
        <IconButton
          icon={insertIcon}
          label={trans.__('Insert the lines that show %1', title)}
          onClick={() => void commands.execute(CommandIDs.insertCode, { kind: 'insight', name: id })}
        />
        {isMine && (
          <IconButton
            icon={deleteIcon}
            label={trans.__('Take %1 back', title)}
            onClick={() => void commands.execute(CommandIDs.deleteInsight, { id, title })}
          />
        )}
      </header>
      {content?.picture && <img src={content.picture} alt={title} />}
      {content?.table && <InsightTable table={content.table} />}
      {content?.failure && (
        <p className="jp-Dapp-problem" role="alert">
          {wording.failureText(content.failure, trans)}
        </p>
      )}
      {note && <p>{note}</p>}
      <p className="jp-Dapp-faint">
        {[
          dataset?.name,
          model?.name,
          owner.name,
          wording.ago(insight.created_at, trans),
          insight.visibility === 'private' ? trans.__('private') : ''
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
    </article>
  );
}

function InsightTable(props: { table: TableRead }): React.ReactElement {
  const { columns, rows, total } = props.table;
  const like = columns.map((_, at) => wording.typical(rows.slice(0, SHOWN).map(row => row[at])));
  return (
    <div className="jp-Dapp-scroll">
      <table className="jp-Dapp-leaderboard">
        <thead>
          <tr>
            {columns.map(name => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, SHOWN).map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column} className={typeof cell === 'number' ? 'jp-mod-number' : ''}>
                  {cell === null
                    ? ''
                    : typeof cell === 'number'
                      ? wording.figure(cell, like[column])
                      : String(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {total > SHOWN && <p className="jp-Dapp-faint">{`… ${wording.count(total)}`}</p>}
    </div>
  );
}
