// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

/**
 * The commands of the extension, as menus, buttons and other extensions call them.
 */
export namespace CommandIDs {
  export const showPanel = 'jupyter-dapp:show-panel';
  export const refresh = 'jupyter-dapp:refresh';
  export const openDashboard = 'jupyter-dapp:open-dashboard';
  export const signOut = 'jupyter-dapp:sign-out';
  export const openActivity = 'jupyter-dapp:open-activity';
  export const openInsights = 'jupyter-dapp:open-insights';
  export const deleteInsight = 'jupyter-dapp:delete-insight';

  export const showNotices = 'jupyter-dapp:show-notices';
  export const markNoticesRead = 'jupyter-dapp:mark-notices-read';
  export const openLineage = 'jupyter-dapp:open-lineage';

  export const uploadFiles = 'jupyter-dapp:upload-files';
  export const sendFiles = 'jupyter-dapp:send-files';

  export const openDataset = 'jupyter-dapp:open-dataset';
  export const renameDataset = 'jupyter-dapp:rename-dataset';
  export const shareDataset = 'jupyter-dapp:share-dataset';
  export const grantDataset = 'jupyter-dapp:share-dataset-with-person';
  export const restoreDataset = 'jupyter-dapp:show-dataset-versions';
  export const deleteDataset = 'jupyter-dapp:delete-dataset';

  export const trainModel = 'jupyter-dapp:train-model';
  export const openModel = 'jupyter-dapp:open-model';
  export const stopTraining = 'jupyter-dapp:stop-training';
  export const extendTraining = 'jupyter-dapp:extend-training';
  export const skipFamily = 'jupyter-dapp:skip-family';
  export const promoteModel = 'jupyter-dapp:promote-model';
  export const showVersions = 'jupyter-dapp:show-model-versions';
  export const openTrainingNotebook = 'jupyter-dapp:open-training-notebook';
  export const predictDataset = 'jupyter-dapp:predict-dataset';
  export const renameModel = 'jupyter-dapp:rename-model';
  export const shareModel = 'jupyter-dapp:share-model';
  export const grantModel = 'jupyter-dapp:share-model-with-person';
  export const deleteModel = 'jupyter-dapp:delete-model';

  export const openJob = 'jupyter-dapp:open-job';
  export const cancelJob = 'jupyter-dapp:cancel-job';

  export const insertCode = 'jupyter-dapp:insert-code';
  export const insertSteps = 'jupyter-dapp:insert-steps';
  export const createWorkflow = 'jupyter-dapp:create-workflow';
}
