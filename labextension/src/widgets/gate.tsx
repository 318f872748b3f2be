// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ApiError } from '../api';
import { wording } from '../model';
import type { IContext } from './context';
import { dappIcon } from './icons';
import { Button, Message } from './kit';

/** What an administrator types; not a text to translate. */
const ENABLE = 'jupyter server extension enable dapp_ext';

/**
 * What stands in the place of the lists while nobody is signed in: the sign-in form, or why there is none.
 */
export function Gate(props: { context: IContext }): React.ReactElement {
  const { context } = props;
  return <UseSignal signal={context.workspace.stateChanged}>{() => <State context={context} />}</UseSignal>;
}

function State(props: { context: IContext }): React.ReactElement | null {
  const { trans, workspace } = props.context;
  switch (workspace.sessionState) {
    case 'signed-in':
      return null;
    case 'signed-out':
      return <SignIn context={props.context} />;
    case 'missing':
      return (
        <Message icon={dappIcon} title={trans.__('The server part is missing')}>
          <p>
            {trans.__(
              'This JupyterLab has DAPP’s panel, but its server does not run the extension. Install the package where the server runs, or enable it:'
            )}
          </p>
          <code>{ENABLE}</code>
          <p>{trans.__('Then restart JupyterLab.')}</p>
          <Button onClick={() => void workspace.start()}>{trans.__('Try again')}</Button>
        </Message>
      );
    case 'unreachable':
      return (
        <Message icon={dappIcon} title={trans.__('The server does not answer')}>
          <p>{trans.__('It is tried again every few seconds.')}</p>
          <Button onClick={() => void workspace.start()}>{trans.__('Try now')}</Button>
        </Message>
      );
    default:
      return <Message icon={dappIcon} title={trans.__('Opening the workspace…')} />;
  }
}

function SignIn(props: { context: IContext }): React.ReactElement {
  const { trans, workspace } = props.context;
  const { session } = workspace.api;
  const [email, setEmail] = React.useState('');
  const [password, setPassword] = React.useState('');
  const [isBusy, setBusy] = React.useState(false);
  const [problem, setProblem] = React.useState(session.refusal);

  const attempt = async (signIn: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setProblem('');
    try {
      await signIn();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      setPassword('');
      setProblem(wording.failureText(error, trans));
      setBusy(false);
    }
  };

  return (
    <form
      className="jp-Dapp-signin"
      aria-label={trans.__('Sign in to DAPP')}
      onSubmit={event => {
        event.preventDefault();
        void attempt(() => session.signIn(email.trim(), password));
      }}
    >
      <h2>{trans.__('Sign in')}</h2>
      <label>
        {trans.__('Email')}
        <input
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={event => setEmail(event.target.value)}
        />
      </label>
      <label>
        {trans.__('Password')}
        <input
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={event => setPassword(event.target.value)}
        />
      </label>
      {problem && (
        <div className="jp-Dapp-problem" role="alert">
          {problem}
        </div>
      )}
      <Button kind="primary" submits disabled={isBusy || !email.trim() || !password}>
        {isBusy ? trans.__('Signing in…') : trans.__('Sign in')}
      </Button>
      <p className="jp-Dapp-hint">
        {trans.__(
          'You stay signed in when the page is loaded again, until you sign out or have been away for a day.'
        )}
      </p>
      <button
        type="button"
        className="jp-Dapp-link"
        disabled={isBusy}
        onClick={() => void attempt(() => session.signInThroughJupyter())}
      >
        {trans.__('Use Jupyter’s own sign-in')}
      </button>
    </form>
  );
}
