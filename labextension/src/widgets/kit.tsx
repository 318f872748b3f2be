// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

/** A button with an icon and nothing else; the label is read aloud and shown on hover. */
export function IconButton(props: {
  icon: LabIcon;
  label: string;
  onClick: () => void;
  className?: string;
  disabled?: boolean;
  tabIndex?: number;
}): React.ReactElement {
  const { icon, label, onClick, className = '', disabled, tabIndex } = props;
  return (
    <button
      type="button"
      className={`jp-Dapp-iconButton ${className}`}
      title={label}
      aria-label={label}
      disabled={disabled}
      tabIndex={tabIndex}
      onClick={event => {
        event.stopPropagation();
        onClick();
      }}
    >
      <icon.react tag="span" elementSize="normal" />
    </button>
  );
}

/** A button with words, the first of its group filled. */
export function Button(props: {
  children: React.ReactNode;
  icon?: LabIcon;
  kind?: 'primary' | 'warn';
  disabled?: boolean;
  submits?: boolean;
  title?: string;
  onClick?: () => void;
}): React.ReactElement {
  const { children, icon: Icon, kind, disabled, submits, title, onClick } = props;
  const kinds = { primary: 'jp-mod-primary', warn: 'jp-mod-warn' };
  return (
    <button
      type={submits ? 'submit' : 'button'}
      className={`jp-Dapp-button ${kind ? kinds[kind] : ''}`}
      disabled={disabled}
      title={title}
      onClick={onClick}
    >
      {Icon && <Icon.react tag="span" elementSize="normal" />}
      <span>{children}</span>
    </button>
  );
}

/** How far something is, from 0 to 1; without a value it only moves. */
export function Progress(props: { value: number | null; label: string }): React.ReactElement {
  const { value, label } = props;
  const percent = value === null ? undefined : Math.round(Math.min(1, Math.max(0, value)) * 100);
  return (
    <div
      className={`jp-Dapp-progress ${percent === undefined ? 'jp-mod-open' : ''}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div style={percent === undefined ? undefined : { width: `${percent}%` }} />
    </div>
  );
}

/** A word with a colour that says where something stands. */
export function Chip(props: {
  tone: 'good' | 'busy' | 'bad' | 'plain';
  title?: string;
  children: React.ReactNode;
}): React.ReactElement {
  return (
    <span className={`jp-Dapp-chip jp-mod-${props.tone}`} title={props.title}>
      {props.children}
    </span>
  );
}

/** A message in the place of what it is about. */
export function Message(props: {
  icon?: LabIcon;
  title: string;
  children?: React.ReactNode;
  tone?: 'plain' | 'bad';
}): React.ReactElement {
  const { icon: Icon, title, children, tone = 'plain' } = props;
  return (
    <div className={`jp-Dapp-message jp-mod-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {Icon && <Icon.react tag="div" width="32px" className="jp-Dapp-message-icon" />}
      <div className="jp-Dapp-message-title">{title}</div>
      {children && <div className="jp-Dapp-message-text">{children}</div>}
    </div>
  );
}

/** In the place of a thing that was deleted, or is not shared any more. */
export function Gone(props: { icon: LabIcon; title: string; trans: TranslationBundle }): React.ReactElement {
  const { icon, title, trans } = props;
  return (
    <Message icon={icon} title={title}>
      <p>{trans.__('It was deleted, or is not shared with you any more. This tab can be closed.')}</p>
    </Message>
  );
}

/** The first letters of a name in a circle, coloured by the name. */
export function Avatar(props: { name: string }): React.ReactElement {
  const words = props.name
    .trim()
    .split(/[\s@._-]+/)
    .filter(Boolean);
  const letters = (words[0]?.[0] ?? '?') + (words.length > 1 ? words[words.length - 1][0] : '');
  return (
    <span className="jp-Dapp-avatar" aria-hidden="true">
      {letters.toUpperCase()}
    </span>
  );
}
