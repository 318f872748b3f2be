// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

import type { IContext } from './context';

/** What a page shows, and hears of its changes from. */
interface IView extends IDisposable {
  readonly changed: ISignal<unknown, void>;
}

/**
 * A page in a tab: drawn anew when its view changes, and gone together with it.
 */
export abstract class PagePanel<V extends IView> extends ReactWidget {
  constructor(
    protected readonly context: IContext,
    readonly view: V
  ) {
    super();
    this.addClass('jp-Dapp');
    this.addClass('jp-Dapp-page');
    this.node.tabIndex = -1;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.view.dispose();
      super.dispose();
    }
  }

  /** What the page is now. */
  protected abstract draw(): React.ReactElement;

  protected render(): React.ReactElement {
    return <UseSignal signal={this.view.changed}>{() => this.draw()}</UseSignal>;
  }
}
