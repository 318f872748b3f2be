// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { Drag } from '@lumino/dragdrop';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Workspace } from '../model';

/** What JupyterLab's file browser gives when something is dragged out of it: a list of paths. */
const PATHS = 'application/x-jupyter-icontents';
const OVER = 'jp-mod-drop';

/** What was dropped: files of the desktop, or paths of the file browser. */
export interface IDropped {
  files: readonly File[];
  paths: readonly string[];
}

/**
 * Makes an element take files, from the desktop and from the file browser.
 */
export class FileDrop implements IDisposable {
  constructor(
    private readonly _node: HTMLElement,
    private readonly _workspace: Workspace
  ) {
    for (const type of EVENTS) {
      _node.addEventListener(type, this, true);
    }
  }

  get dropped(): ISignal<this, IDropped> {
    return this._dropped;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  handleEvent(event: Event): void {
    if (event.type.startsWith('lm-')) {
      this._onLumino(event as Drag.Event);
    } else {
      this._onNative(event as DragEvent);
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      for (const type of EVENTS) {
        this._node.removeEventListener(type, this, true);
      }
      Signal.clearData(this);
    }
  }

  private _onLumino(event: Drag.Event): void {
    if (!event.mimeData.hasData(PATHS) || !this._workspace.mayWrite) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this._node.classList.toggle(OVER, event.type === 'lm-dragenter' || event.type === 'lm-dragover');
    if (event.type === 'lm-dragover') {
      event.dropAction = event.proposedAction;
    } else if (event.type === 'lm-drop') {
      // Told as a copy: the file browser must not take it for a move.
      event.dropAction = 'copy';
      this._dropped.emit({ files: [], paths: event.mimeData.getData(PATHS) as string[] });
    }
  }

  private _onNative(event: DragEvent): void {
    const transfer = event.dataTransfer;
    if (!transfer?.types.includes('Files') || !this._workspace.mayWrite) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const isInside = event.type === 'dragleave' && this._node.contains(event.relatedTarget as Node | null);
    this._node.classList.toggle(OVER, event.type === 'dragenter' || event.type === 'dragover' || isInside);
    transfer.dropEffect = 'copy';
    if (event.type === 'drop') {
      this._dropped.emit({ files: [...transfer.files], paths: [] });
    }
  }

  private _isDisposed = false;
  private _dropped = new Signal<this, IDropped>(this);
}

const EVENTS = [
  'lm-dragenter',
  'lm-dragleave',
  'lm-dragover',
  'lm-drop',
  'dragenter',
  'dragleave',
  'dragover',
  'drop'
] as const;
