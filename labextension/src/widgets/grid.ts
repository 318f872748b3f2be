// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import {
  BasicKeyHandler,
  BasicMouseHandler,
  BasicSelectionModel,
  DataGrid,
  DataModel,
  TextRenderer
} from '@lumino/datagrid';
import type { CellRenderer, GraphicsContext } from '@lumino/datagrid';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { wording } from '../model';
import type { IArrival, RowsSource } from '../model';
import type { Column, ColumnKind } from '../schema';

const RIGHT: ReadonlySet<ColumnKind> = new Set<ColumnKind>(['integer', 'decimal', 'duration']);
/** A press that moves less than this is a click, in pixels; nearer to an edge it resizes. */
const CLICK = 4;
const EDGE = 6;
const CHARACTER = 7;

/**
 * A table that shows the rows of a source, fetching them as they scroll into sight.
 */
export class RowsGrid extends DataGrid {
  constructor(source: RowsSource, trans: TranslationBundle) {
    super({
      defaultSizes: { rowHeight: 24, columnWidth: 120, rowHeaderWidth: 60, columnHeaderHeight: 28 },
      stretchLastColumn: false
    });
    this._source = source;
    this._trans = trans;
    const model = new RowsModel(source);
    this.dataModel = model;
    this.keyHandler = new BasicKeyHandler();
    this._mouse = new SortingMouse();
    this.mouseHandler = this._mouse;
    this.selectionModel = new BasicSelectionModel({ dataModel: model });
    this.copyConfig = {
      separator: '\t',
      format: DataGrid.copyFormatGeneric,
      headers: 'all',
      warningThreshold: 1e6
    };
    this._mouse.pressed.connect(this._onHeader, this);
    source.changed.connect(this._onChanged, this);
    this.recolour();
    drawAtOnce(this);
  }

  /** Take the colours of the present theme: a canvas does not follow style sheets. */
  recolour(): void {
    const style = getComputedStyle(document.body);
    const colour = (name: string): string => style.getPropertyValue(`--jp-${name}`).trim();
    this._ink = {
      text: colour('ui-font-color1'),
      faint: colour('ui-font-color3'),
      busy: colour('border-color2')
    };
    const accent = colour('brand-color1');
    this.style = {
      voidColor: colour('layout-color1'),
      backgroundColor: colour('layout-color1'),
      headerBackgroundColor: colour('layout-color2'),
      gridLineColor: translucent(colour('border-color2'), 0.6),
      headerGridLineColor: colour('border-color2'),
      rowBackgroundColor: undefined,
      selectionFillColor: translucent(accent, 0.16),
      selectionBorderColor: accent,
      headerSelectionFillColor: translucent(accent, 0.2),
      headerSelectionBorderColor: accent,
      cursorFillColor: translucent(accent, 0.2),
      cursorBorderColor: accent,
      scrollShadow: {
        size: 6,
        color1: 'rgba(0,0,0,0.12)',
        color2: 'rgba(0,0,0,0.06)',
        color3: 'rgba(0,0,0,0)'
      }
    };
    this._setRenderers(style.getPropertyValue('--jp-ui-font-family'));
  }

  private _setRenderers(family: string): void {
    const font = `12px ${family}`;
    const header = new ClippedText({
      font: `600 12px ${family}`,
      textColor: this._ink.text,
      horizontalAlignment: config => (this._isRight(config) ? 'right' : 'left')
    });
    const body = new ClippedText({
      font,
      textColor: config =>
        config.value === null || config.value === undefined ? this._ink.faint : this._ink.text,
      horizontalAlignment: config => (this._isRight(config) ? 'right' : 'left'),
      format: config => this._text(config)
    });
    this.cellRenderers.update({
      body,
      'column-header': header,
      'corner-header': header,
      'row-header': new ClippedText({
        font: `11px ${family}`,
        textColor: this._ink.faint,
        horizontalAlignment: 'right',
        format: TextRenderer.formatFixed({ digits: 0 })
      })
    });
  }

  private _text({ value, column }: CellRenderer.CellConfig): string {
    if (value === undefined) {
      return '…';
    }
    if (value === null) {
      return this._trans.__('missing');
    }
    if (typeof value === 'boolean') {
      return wording.answer(value, this._source.columns[column]?.kind, this._trans);
    }
    if (typeof value === 'number' && !Number.isInteger(value)) {
      return String(Number(value.toPrecision(8)));
    }
    // A line break would end the text in a cell of one line.
    return String(value).replace(/\s+/g, ' ');
  }

  private _isRight(config: CellRenderer.CellConfig): boolean {
    return RIGHT.has(this._source.columns[config.column]?.kind);
  }

  private _onHeader(_: SortingMouse, column: number): void {
    const { name } = this._source.columns[column];
    const [now] = this._source.view.sort;
    const isSame = now?.column === name;
    const sort = isSame && now.descending ? [] : [{ column: name, descending: isSame }];
    void this._source.show({ sort });
  }

  private _onChanged(): void {
    this._fit();
  }

  /** Give each column the room that its first rows need, once; afterwards the sizes are the user's. */
  private _fit(): void {
    const { columns, total } = this._source;
    const key = columns.map(each => each.name).join('\n');
    if (!columns.length || key === this._fitted) {
      return;
    }
    this._fitted = key;
    columns.forEach((column, index) => {
      let longest = wording.columnLabel(column.name, column.unit).length + 3;
      for (let row = 0; row < Math.min(40, total); row++) {
        const value = this._source.cell(row, index);
        longest = Math.max(longest, value === null || value === undefined ? 0 : String(value).length);
      }
      this.resizeColumn('body', index, Math.min(280, Math.max(64, longest * CHARACTER + 16)));
    });
    const digits = String(Math.max(0, total - 1)).length;
    this.resizeColumn('row-header', 0, Math.max(40, digits * CHARACTER + 16));
  }

  private _source: RowsSource;
  private _trans: TranslationBundle;
  private _mouse: SortingMouse;
  private _fitted = '';
  private _ink = { text: '', faint: '', busy: '' };
}

/** Text that stays within its cell. */
class ClippedText extends TextRenderer {
  override drawText(gc: GraphicsContext, config: CellRenderer.CellConfig): void {
    gc.beginPath();
    gc.rect(config.x, config.y, config.width, config.height);
    gc.clip();
    super.drawText(gc, config);
  }
}

/** A part of the grid that is painted, in pixels. */
interface IRegion {
  xMin: number;
  xMax: number;
  yMin: number;
  yMax: number;
}

/** How a grid of Lumino draws: cells into a hidden canvas, and from there to the one that is seen. */
interface IDrawing {
  _buffer?: HTMLCanvasElement;
  _blitContent?: (source: HTMLCanvasElement, ...box: number[]) => void;
  _drawCells?: (region: IRegion) => void;
}

/**
 * Copy a region to the screen when all of its cells are drawn, instead of each cell by itself: the browser takes a copy
 * of the whole hidden canvas for every one of them, which costs a second on a machine without a graphics card.
 *
 * These parts of Lumino are its own. Where one of them is missing the grid draws as it does by itself.
 */
function drawAtOnce(grid: DataGrid): void {
  const drawing = grid as unknown as IDrawing;
  const { _blitContent: blit, _buffer: buffer, _drawCells: draw } = drawing;
  if (!blit || !buffer || !draw) {
    return;
  }
  let isDrawing = false;
  drawing._blitContent = (source, ...box) => {
    if (!isDrawing || source !== buffer) {
      blit.call(grid, source, ...box);
    }
  };
  drawing._drawCells = region => {
    isDrawing = true;
    try {
      draw.call(grid, region);
    } finally {
      isDrawing = false;
    }
    const { xMax, xMin, yMax, yMin } = region;
    blit.call(grid, buffer, xMin, yMin, xMax - xMin + 1, yMax - yMin + 1, xMin, yMin);
  };
}

/** The source as the grid asks for it. */
class RowsModel extends DataModel {
  constructor(private readonly _source: RowsSource) {
    super();
    _source.arrived.connect(this._onArrived, this);
    _source.changed.connect(this._onChanged, this);
  }

  rowCount(region: DataModel.RowRegion): number {
    return region === 'body' ? this._source.total : 1;
  }

  columnCount(region: DataModel.ColumnRegion): number {
    return region === 'body' ? this._source.columns.length : 1;
  }

  data(region: DataModel.CellRegion, row: number, column: number): unknown {
    switch (region) {
      case 'body':
        return this._source.cell(row, column);
      case 'column-header':
        return this._heading(this._source.columns[column]);
      case 'row-header':
        return row;
      default:
        return '';
    }
  }

  private _heading(column: Column | undefined): string {
    const [sort] = this._source.view.sort;
    const mark = sort && sort.column === column?.name ? (sort.descending ? ' ▾' : ' ▴') : '';
    return column ? `${wording.columnLabel(column.name, column.unit)}${mark}` : '';
  }

  private _onArrived(_: RowsSource, { first, count }: IArrival): void {
    const columnSpan = this._source.columns.length;
    if (count > 0 && columnSpan > 0) {
      this.emitChanged({
        type: 'cells-changed',
        region: 'body',
        row: first,
        column: 0,
        rowSpan: count,
        columnSpan
      });
    }
  }

  private _onChanged(): void {
    this.emitChanged({ type: 'model-reset' });
  }
}

/** A click on the name of a column sorts by it; anything else is as in every grid. */
class SortingMouse extends BasicMouseHandler {
  get pressed(): ISignal<this, number> {
    return this._pressed;
  }

  override onMouseDown(grid: DataGrid, event: MouseEvent): void {
    const hit = grid.hitTest(event.clientX, event.clientY);
    const isInside = hit.region === 'column-header' && hit.x > EDGE && hit.width - hit.x > EDGE;
    this._press = isInside && event.button === 0 ? { column: hit.column, at: event.clientX } : null;
    super.onMouseDown(grid, event);
  }

  override onMouseUp(grid: DataGrid, event: MouseEvent): void {
    const press = this._press;
    this._press = null;
    super.onMouseUp(grid, event);
    if (press && Math.abs(event.clientX - press.at) < CLICK) {
      grid.selectionModel?.clear();
      this._pressed.emit(press.column);
    }
  }

  private _press: { column: number; at: number } | null = null;
  private _pressed = new Signal<this, number>(this);
}

/** A colour of the theme with some of it taken away; canvas and style sheets read the same syntax. */
function translucent(colour: string, share: number): string {
  return `color-mix(in srgb, ${colour} ${Math.round(share * 100)}%, transparent)`;
}
