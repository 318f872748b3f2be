// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { IPlaced, LineageView } from '../model';
import { placed, wording } from '../model';
import type { Lineage, LineageNode } from '../schema';
import type { IContext } from './context';
import { datasetIcon, lineageIcon, modelIcon, trainIcon, uploadIcon } from './icons';
import { Button, Message } from './kit';
import { PagePanel } from './panel';

/** A box and the room between boxes, in pixels. */
const BOX = { width: 200, height: 58, across: 64, down: 18 };

/**
 * Where a thing came from and what was made from it, in a tab: boxes from left to right.
 */
export class LineagePanel extends PagePanel<LineageView> {
  protected draw(): React.ReactElement {
    return <Page context={this.context} view={this.view} />;
  }
}

function Page(props: { context: IContext; view: LineageView }): React.ReactElement {
  const { context, view } = props;
  const { trans } = context;
  const { failure, lineage, name } = view;
  if (failure && !lineage) {
    return (
      <Message icon={lineageIcon} tone="bad" title={trans.__('This lineage cannot be shown')}>
        <p>{wording.failureText(failure, trans)}</p>
        <Button onClick={() => void view.load()}>{trans.__('Try again')}</Button>
      </Message>
    );
  }
  if (!lineage) {
    return <Message icon={lineageIcon} title={trans.__('Opening…')} />;
  }
  return (
    <>
      <header className="jp-Dapp-head">
        <div className="jp-Dapp-head-what">
          <h2>{name}</h2>
          <p>{trans.__('Where it came from, and what was made from it, from left to right')}</p>
        </div>
      </header>
      {lineage.nodes.length === 0 ? (
        <Message icon={lineageIcon} title={trans.__('Nothing is known of its origin')} />
      ) : (
        <Picture lineage={lineage} context={context} />
      )}
    </>
  );
}

function Picture(props: { lineage: Lineage; context: IContext }): React.ReactElement {
  const { lineage, context } = props;
  const places = placed(lineage);
  const all = [...places.values()];
  const x = ({ column }: IPlaced): number => column * (BOX.width + BOX.across);
  const y = ({ line }: IPlaced): number => line * (BOX.height + BOX.down);
  const width = Math.max(...all.map(x)) + BOX.width;
  const height = Math.max(...all.map(y)) + BOX.height;
  return (
    <div className="jp-Dapp-lineage" tabIndex={0} role="region" aria-label={context.trans.__('Lineage')}>
      <div style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {lineage.edges.map(({ source, target, label }) => {
            const from = places.get(source);
            const to = places.get(target);
            if (!from || !to) {
              return null;
            }
            const [x1, y1] = [x(from) + BOX.width, y(from) + BOX.height / 2];
            const [x2, y2] = [x(to), y(to) + BOX.height / 2];
            const bend = BOX.across / 2;
            return (
              <path
                key={`${source} ${target} ${label}`}
                d={`M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
              />
            );
          })}
        </svg>
        <ul>
          {all.map(each => (
            <li
              key={each.node.id}
              style={{ left: x(each), top: y(each), width: BOX.width, height: BOX.height }}
            >
              <Box
                node={each.node}
                how={lineage.edges.filter(edge => edge.target === each.node.id).map(edge => edge.label)}
                context={context}
              />
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function Box(props: { node: LineageNode; how: readonly string[]; context: IContext }): React.ReactElement {
  const { node, how, context } = props;
  const { commands, trans } = context;
  const icons = { file: uploadIcon, version: datasetIcon, model: modelIcon, prediction: trainIcon };
  const Icon = icons[node.kind];
  const command = node.subject_kind === 'model' ? CommandIDs.openModel : CommandIDs.openDataset;
  return (
    <button
      type="button"
      className={`jp-Dapp-lineage-box ${node.here ? 'jp-mod-here' : ''}`}
      title={[node.name, ...how].join('\n')}
      onClick={() => void commands.execute(command, { id: node.subject_id })}
    >
      <Icon.react tag="span" elementSize="normal" />
      <span className="jp-Dapp-lineage-words">
        <span>{node.name}</span>
        <span className="jp-Dapp-faint">{detail(node, trans)}</span>
      </span>
    </button>
  );
}

function detail(node: LineageNode, trans: TranslationBundle): string {
  const { version, rows } = node;
  const kinds: Record<LineageNode['kind'], string> = {
    file: trans.__('File'),
    version: version ? trans.__('Version %1', version) : trans.__('Version'),
    model: version ? trans.__('Model, version %1', version) : trans.__('Model'),
    prediction: trans.__('Predictions')
  };
  const size = rows ? trans._n('%2 row', '%2 rows', rows, wording.count(rows)) : '';
  return [kinds[node.kind], size].filter(Boolean).join(' · ');
}
