// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import { clearIcon, searchIcon, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { Workspace } from '../model';
import { wording } from '../model';
import { BellButton, BellLines } from './bell';
import type { IContext } from './context';
import { Avatar, IconButton } from './kit';

/**
 * Who is signed in, how the line stands, and the search.
 */
export function Header(props: { context: IContext; onSearch: (text: string) => void }): React.ReactElement {
  const { context, onSearch } = props;
  return (
    <UseSignal signal={context.workspace.stateChanged}>
      {() => (
        <>
          <Account context={context} />
          <BellLines context={context} />
          {context.workspace.sessionState === 'signed-in' && <Search context={context} onSearch={onSearch} />}
        </>
      )}
    </UseSignal>
  );
}

function Account(props: { context: IContext }): React.ReactElement | null {
  const { commands, trans, workspace } = props.context;
  const { account } = workspace;
  if (!account) {
    return (
      <div className="jp-Dapp-account">
        <div className="jp-Dapp-wordmark">{props.context.trans.__('DAPP')}</div>
      </div>
    );
  }
  return (
    <div className="jp-Dapp-account">
      <Avatar name={account.name || account.email} />
      <div className="jp-Dapp-account-who">
        <div className="jp-Dapp-account-name" title={account.email}>
          {account.name || account.email}
        </div>
        <div className="jp-Dapp-account-role">
          {wording.roleName(account.role, trans)}
          <Connection workspace={workspace} trans={trans} />
        </div>
      </div>
      <BellButton context={props.context} />
      <button
        type="button"
        className="jp-Dapp-link"
        onClick={() => void commands.execute(CommandIDs.signOut)}
        title={trans.__('Sign out of DAPP')}
      >
        {trans.__('Sign out')}
      </button>
    </div>
  );
}

function Connection(props: { workspace: Workspace; trans: TranslationBundle }): React.ReactElement {
  const { workspace, trans } = props;
  const states: Record<Workspace['feedState'], [string, string, string]> = {
    connected: ['good', trans.__('Live'), trans.__('Connected: changes show at once')],
    connecting: ['busy', trans.__('Connecting'), trans.__('Connecting to the live feed')],
    idle: ['busy', trans.__('Connecting'), trans.__('Connecting to the live feed')],
    reconnecting: ['busy', trans.__('Reconnecting'), trans.__('The line was lost; nothing will be missed')],
    offline: ['bad', trans.__('Offline'), trans.__('The server does not answer; it is tried again by itself')]
  };
  const [tone, word, caption] = states[workspace.feedState];
  return (
    <span
      className={`jp-Dapp-line jp-mod-${tone}`}
      role="status"
      title={caption}
      data-state={workspace.feedState}
    >
      {word}
    </span>
  );
}

function Search(props: { context: IContext; onSearch: (text: string) => void }): React.ReactElement {
  const { trans } = props.context;
  const [text, setText] = React.useState('');
  const search = (value: string): void => {
    setText(value);
    props.onSearch(value.trim());
  };
  const label = trans.__('Search datasets, models and jobs');
  return (
    <div className="jp-Dapp-search">
      <searchIcon.react tag="span" className="jp-Dapp-search-icon" elementSize="normal" />
      <input
        type="search"
        value={text}
        placeholder={trans.__('Search')}
        aria-label={label}
        title={label}
        spellCheck={false}
        onChange={event => search(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && text) {
            event.stopPropagation();
            search('');
          }
        }}
      />
      {text && (
        <IconButton icon={clearIcon} label={trans.__('Clear the search')} onClick={() => search('')} />
      )}
    </div>
  );
}
