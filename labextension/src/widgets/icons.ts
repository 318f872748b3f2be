// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { LabIcon } from '@jupyterlab/ui-components';

/**
 * A line icon in the style and the colours of JupyterLab's own. `fill` is set as a style, because JupyterLab recolours
 * every fill attribute below the class.
 */
function line(name: string, ...paths: string[]): LabIcon {
  const drawn = paths.map(d => `<path d="${d}"/>`).join('');
  const svgstr =
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    `<g class="jp-icon3" stroke="#616161" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" style="fill:none">${drawn}</g>` +
    '</svg>';
  return new LabIcon({ name: `jupyter-dapp:${name}`, svgstr });
}

/** A rising line through points within axes: the workspace. */
export const dappIcon = line(
  'dapp',
  'M4 4v16h16',
  'M8 15.5l3.5-4.5 3.5 2.5L20 6.5',
  'M11.5 11h.01M15 13.5h.01M20 6.5h.01M8 15.5h.01'
);
/** A table. */
export const datasetIcon = line('dataset', 'M4 5.5h16v13H4z', 'M4 10h16M4 14.3h16M10 10v8.5');
/** Three linked nodes. */
export const modelIcon = line(
  'model',
  'M5.5 12a2 2 0 1 0 .01 0M17.5 6a2 2 0 1 0 .01 0M17.5 18a2 2 0 1 0 .01 0',
  'M7.3 13l8.4-4M7.3 15l8.4 4'
);
/** A target with its centre: training. */
export const trainIcon = line('train', 'M12 4a8 8 0 1 0 .01 0', 'M12 8a4 4 0 1 0 .01 0', 'M12 12h.01');
/** Work that goes on. */
export const jobIcon = line('job', 'M12 4a8 8 0 1 0 8 8', 'M12 8v4l2.5 2.5');
/** A picture on a wall: what was published. */
export const insightIcon = line('insight', 'M4 5h16v14H4z', 'M7 16l3.5-4.5 3 3 2-2.5 2.5 4', 'M9 8.8h.01');
/** A box that leads to two: what came from what. */
export const lineageIcon = line(
  'lineage',
  'M3.5 9.5h5v5h-5z',
  'M15.5 4h5v5h-5zM15.5 15h5v5h-5z',
  'M8.5 12h3.5M15.5 6.5h-1a2.5 2.5 0 0 0-2.5 2.5v6a2.5 2.5 0 0 0 2.5 2.5h1'
);
/** A spanner: mend it. */
export const fixIcon = line(
  'fix',
  'M14.5 6.5a4 4 0 0 1 5-1l-3 3 1.5 1.5 3-3a4 4 0 0 1-5.2 5L8 20a2 2 0 0 1-3-3l8.2-7.7'
);
/** A pulse: what happens. */
export const activityIcon = line('activity', 'M3.5 12h4l2.5-6 4 12 2.5-6h4');
/** A window with bars: the dashboard in the browser. */
export const dashboardIcon = line('dashboard', 'M4 5h16v14H4z', 'M8 15.5v-3M12 15.5v-6M16 15.5v-4.5');
/** An arrow into a tray. */
export const uploadIcon = line('upload', 'M12 15V4.5M8 8.2l4-4 4 4', 'M4.5 15v4.5h15V15');
/** Lines that go into a cell. */
export const insertIcon = line('insert', 'M9 7l-5 5 5 5', 'M15 7l5 5-5 5');
/** A square: stop. */
export const stopIcon = line('stop', 'M7 7h10v10H7z');
