// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.
//
// Generated from dapp_ext.schema by generate_schema.py. Do not edit: run `npm run schema`.

export type Door = 'api' | 'jupyterlab' | 'dashboard' | 'cli' | 'worker';

export type TicketPurpose = 'websocket' | 'dashboard' | 'jupyterlab';

export type TokenScope = 'read' | 'predict' | 'write' | 'admin';

export type GrantLevel = 'read' | 'use' | 'edit';

export type AccessLevel = 'read' | 'use' | 'edit' | 'owner';

export type FixCode = 'drop_duplicate_rows' | 'drop_header_rows' | 'drop_rows' | 'drop_columns' | 'drop_missing_rows' | 'fill_missing' | 'mark_missing' | 'convert' | 'clip_outliers' | 'clear_infinite' | 'log_scale' | 'group_rare' | 'cut_texts' | 'normalise_texts' | 'parse_dates' | 'fill_gaps';

export type FillMethod = 'median' | 'mean' | 'most_frequent' | 'previous' | 'value';

export type ColumnKind = 'integer' | 'decimal' | 'boolean' | 'category' | 'text' | 'date' | 'datetime' | 'time' | 'duration';

export type DatasetStatus = 'processing' | 'ready' | 'failed';

export type Visibility = 'private' | 'team';

export type VersionOrigin = 'upload' | 'reread' | 'fix' | 'undo' | 'restore' | 'prediction';

export type Severity = 'info' | 'warning' | 'alert';

export type FilterOperator = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'in' | 'between' | 'contains' | 'is_null' | 'not_null';

export type Aggregation = 'count' | 'sum' | 'mean' | 'median' | 'min' | 'max' | 'distinct' | 'std' | 'quantile' | 'box';

export type TimeBucket = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour';

export type ColumnChange = 'same' | 'added' | 'removed' | 'changed';

export type NodeKind = 'file' | 'version' | 'model' | 'prediction';

export type Task = 'binary' | 'multiclass' | 'regression';

export type Family = 'linear' | 'neighbours' | 'lightgbm' | 'forest' | 'neural';

export type ModelStatus = 'queued' | 'training' | 'ready' | 'failed' | 'cancelled';

export type ModelOrigin = 'search' | 'registered';

export type Validation = 'random' | 'stratified' | 'group' | 'time';

export type GuardState = 'passed' | 'done' | 'alerted';

export type Cleaning = 'drop_duplicates' | 'drop_conflicts' | 'drop_rare' | 'merge_rare';

export type PolicyBasis = 'value' | 'cost' | 'capacity';

export type DriftLevel = 'unknown' | 'calm' | 'watch' | 'alert';

export type JobKind = 'ingest' | 'fix' | 'train' | 'predict' | 'register' | 'rescore' | 'batch';

export type JobStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'dead';

export type MaintenanceState = 'off' | 'announced' | 'on';

export type Outcome = 'allow' | 'deny' | 'error';

export type AuditFormat = 'jsonl' | 'csv';

/** One page of a list; `next` is the cursor of the page after it, `total` is given where it is cheap. */
export interface Page<T> {
  items: T[];
  next: string | null;
  total: number | null;
}

/** What an account may do; the policy is in `domain.access`. */
export type Role = 'admin' | 'analyst' | 'viewer';

/** Why a request failed: a stable code for programs, a sentence for people. */
export interface ErrorBody {
  code: string;
  message: string;
  details: Record<string, unknown>;
  request_id: string;
}

/** The envelope of every failure. */
export interface ErrorAnswer {
  error: ErrorBody;
}

/** A thing or person by id, with the name that people know it by. */
export interface Named {
  id: string;
  name: string;
}

/** What an event or a job is about. */
export interface Subject {
  kind: string;
  id: string;
}

/** The account behind a call, as the database knows it at this moment. */
export interface Actor {
  account_id: string;
  email: string;
  name: string;
  role: Role;
  session_id: string | null;
  scope: TokenScope | null;
  door: Door;
  address: string;
  request_id: string;
}

/** An account as others may see it. */
export interface AccountRead {
  id: string;
  email: string;
  name: string;
  role: Role;
  disabled: boolean;
  has_password: boolean;
  created_at: string;
  last_seen_at: string | null;
}

export interface LoginRequest {
  email: string;
  password: string;
}

export interface RefreshRequest {
  refresh_token: string;
}

export interface ResumeRequest {
  /** One that the browser keeps from now on; left out, the one that it keeps already. */
  refresh_token?: string | null;
}

/** A short access token and the refresh token that follows it; each refresh token is good once. */
export interface TokenPair {
  access_token: string;
  /** Empty where the browser keeps it. */
  refresh_token: string;
  token_type: 'Bearer';
  /** Seconds until the access token ends. */
  expires_in: number;
  account: AccountRead;
}

export interface TicketRequest {
  purpose: TicketPurpose;
}

/** A credential for one use within a minute or so. */
export interface TicketRead {
  ticket: string;
  purpose: TicketPurpose;
  expires_at: string;
  /** Where to use it, for tickets that open a page. */
  url: string | null;
}

export interface AccountCreate {
  email: string;
  name?: string;
  role?: Role;
  password?: string | null;
}

export interface AccountUpdate {
  name?: string | null;
  role?: Role | null;
  disabled?: boolean | null;
  /** Bytes that may be stored, 0 for any number; null for the workspace's own setting. */
  quota?: number | null;
}

/** What an account stores and may store, in bytes; `quota` is null where nothing is limited. */
export interface QuotaRead {
  account: Named;
  email: string;
  used: number;
  quota: number | null;
  free: number | null;
  /** Whether the quota was set for this account. */
  is_own: boolean;
}

/** What everybody may change of the own account. */
export interface ProfileChange {
  name: string;
}

/** The present password may be left out only while the account has none yet. */
export interface PasswordChange {
  current_password?: string | null;
  new_password: string;
}

/** Ask somebody in; the account is made when the link is used. */
export interface InvitationCreate {
  email: string;
  name?: string;
  role?: Role;
  /** How long the link can be used, in hours. */
  hours?: number;
}

/** An invitation that waits. The link itself is told once, to whoever made it. */
export interface InvitationRead {
  id: string;
  email: string;
  name: string;
  role: Role;
  invited_by: Named;
  created_at: string;
  expires_at: string;
}

/** A link for one use, told this once; `url` is null while no dashboard answers and none is configured. */
export interface LinkMade {
  id: string;
  email: string;
  token: string;
  url: string | null;
  expires_at: string;
}

/** What a link leads to: an account of one's own, or a new password for one. */
export interface LinkOffer {
  purpose: 'invitation' | 'reset';
  email: string;
  name: string;
  role: Role;
  expires_at: string;
}

/** Use up a link: choose a name (for a new account) and a password. */
export interface LinkAccept {
  token: string;
  password: string;
  name?: string;
}

/** One place where an account is signed in. */
export interface SessionRead {
  id: string;
  door: Door;
  address: string;
  created_at: string;
  seen_at: string;
  expires_at: string;
  /** Whether it is the one that asked. */
  is_current: boolean;
  /** The personal access token behind it, where there is one. */
  token_name: string | null;
}

/** Ask for a personal access token. */
export interface TokenCreate {
  name: string;
  scope?: TokenScope;
  /** How long it is valid, in days. */
  days?: number;
}

/** A personal access token, without the token. */
export interface TokenRead {
  id: string;
  name: string;
  scope: TokenScope;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
}

/** A new personal access token; the token itself is told this once. */
export interface TokenMade {
  id: string;
  name: string;
  scope: TokenScope;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
  token: string;
}

/** Somebody whom one can share with. */
export interface PersonRead {
  id: string;
  name: string;
  email: string;
}

/** That one person may read, use or edit a thing. What a role does not allow at all, no grant allows either. */
export interface GrantRead {
  person: PersonRead;
  level: GrantLevel;
  granted_by: Named | null;
  created_at: string;
}

/** `read`: look at it; `use`: also download, train, predict; `edit`: also rename, mend, make versions. */
export interface GrantPut {
  level?: GrantLevel;
}

/** What one press would do. Send `code` and the finding's columns, with these options or others. */
export interface FixOffer {
  code: FixCode;
  sentence: string;
  options: Record<string, unknown>;
}

/** How to mend; what a fix does not need is not looked at, what is left out is chosen by the column. */
export interface FixOptions {
  /** fill_missing: what goes into the gaps. */
  method?: FillMethod | null;
  /** fill_missing with the method value. */
  value?: string | number | boolean | null;
  /** mark_missing: the values that mean missing, as they are shown. */
  values?: string[] | null;
  /** drop_rows: the rows to remove, from 0. */
  rows?: number[] | null;
  /** parse_dates: whether 01/02/2024 is the first of February. */
  day_first?: boolean | null;
  /** group_rare: how many of the most frequent values stay; 49 when left out. */
  keep?: number | null;
  /** cut_texts: characters that stay; 20,000 when left out. */
  length?: number | null;
}

/** Mend one dataset by a new version of it. `code` is that of a fix, or that of a finding for the fix that it offers. Without columns a fix works on all that the finding named; `drop_duplicate_rows` then compares whole rows. */
export interface FixRequest {
  code: string;
  columns?: string[];
  /** The version to mend; the latest when left out. */
  version?: number | null;
  options?: FixOptions;
}

/** A column as it is stored. */
export interface Column {
  name: string;
  kind: ColumnKind;
  nullable: boolean;
  /** What stood beside its numbers in the file, such as $ or %. */
  unit: string | null;
}

/** A value, as text, and how many rows have it. */
export interface ValueCount {
  value: string;
  count: number;
}

/** Counts between edges; `len(edges) == len(counts) + 1`. Edges of dates are ISO 8601 texts. */
export interface Histogram {
  edges: (number | string)[];
  counts: number[];
}

/** What is in one column. Quantiles and extremes are numbers, or ISO 8601 texts for dates. */
export interface ColumnProfile {
  name: string;
  kind: ColumnKind;
  missing: number;
  distinct: number;
  distinct_exact: boolean;
  minimum: unknown;
  maximum: unknown;
  mean: number | null;
  std: number | null;
  /** Keys 0.05, 0.25, 0.5, 0.75, 0.95. */
  quantiles: Record<string, unknown>;
  top: ValueCount[];
  histogram: Histogram | null;
  /** Mean length of texts, in characters. */
  mean_length: number | null;
}

/** Something that a person should know, with a stable code and the rows that show it. `fix` is what `POST /datasets/{id}/fixes` would do about it, where something makes sense. */
export interface Finding {
  code: string;
  severity: Severity;
  sentence: string;
  columns: string[];
  /** Up to 20 row numbers, from 0, that show it. */
  rows: number[];
  count: number | null;
  fix: FixOffer | null;
}

/** The health report of one dataset version. */
export interface Profile {
  version: number;
  rows: number;
  columns: ColumnProfile[];
  findings: Finding[];
  duplicate_rows: number;
  likely_target: string | null;
  likely_target_reason: string | null;
}

/** How to read a file; what is left out is guessed, and the guess is reported in :class:`ReadReport`. */
export interface ReadOptions {
  format?: 'csv' | 'xlsx' | 'ods' | 'parquet' | 'arrow' | 'json' | 'jsonl' | null;
  delimiter?: string | null;
  /** What stands around cells with delimiters or line ends in them. */
  quote?: '"' | "'" | 'none' | null;
  /** Whether a backslash stands before quotes inside quoted cells. */
  escape?: 'backslash' | 'none' | null;
  encoding?: string | null;
  decimal?: '.' | ',' | null;
  /** What stands between thousands. */
  thousands?: ',' | '.' | ' ' | "'" | 'none' | null;
  /** How 01/02/2021 is read. */
  date_order?: 'day_first' | 'month_first' | null;
  /** The sheet of a workbook, or the file in a zip archive. */
  sheet?: string | null;
  /** Whether sheets with the same columns are put together. */
  join_sheets?: boolean | null;
  /** Which table of a sheet that holds several, from 1, from the top left on. */
  table?: number | null;
  /** Whether cells that were merged all get the value, or only the first. */
  merged_cells?: 'fill' | 'first' | null;
  /** How the columns of a text part: by a delimiter, by standing under each other, or by runs of blanks. */
  layout?: 'delimited' | 'aligned' | 'blanks' | null;
  header?: boolean | null;
  /** Line or row of the header, or of the first data without one, from 1. */
  header_row?: number | null;
  /** Rows that name the columns together, as with merged cells over several names. */
  header_rows?: number | null;
  /** Lines that begin with this character are left out; or none. */
  comment?: string | null;
  /** What happens to cells beyond the width of the table. */
  extra_cells?: 'keep' | 'drop' | null;
  /** What happens to rows that are no data: repeated headers, rules of dashes, totals and notes below the table. */
  extra_rows?: 'keep' | 'drop' | null;
  /** Texts that stand for a missing value; given once for each. */
  missing?: string[] | null;
  /** Kind of a column by its name; values that are none of the kind become missing, and that is told. */
  types?: Record<string, ColumnKind> | null;
}

/** How the texts of one column were taken, where there was more than one way. */
export interface ColumnReading {
  name: string;
  kind: ColumnKind;
  /** Whether somebody chose the kind. */
  chosen: boolean;
  /** How its values are written, in plain words. */
  written: string | null;
}

/** How a file was read, and what was done on the way, in plain sentences. The fields are named like those of :class:`ReadOptions`; `guessed` lists those that nobody chose. */
export interface ReadReport {
  format: string;
  /** What the file was packed with. */
  compression: string | null;
  /** The file that was read in a zip archive. */
  member: string | null;
  delimiter: string | null;
  quote: string | null;
  escape: string | null;
  encoding: string | null;
  decimal: string | null;
  thousands: string | null;
  date_order: string | null;
  sheet: string | null;
  /** The sheets that may be chosen. */
  sheets: string[];
  header: boolean | null;
  header_row: number | null;
  header_rows: number | null;
  comment: string | null;
  extra_cells: string | null;
  extra_rows: string | null;
  join_sheets: boolean | null;
  /** Which table of the sheet was read, where it holds several. */
  table: number | null;
  /** The tables that may be chosen, where a sheet holds several. */
  tables: string[];
  merged_cells: string | null;
  layout: string | null;
  /** Texts that were read as missing. */
  missing: string[];
  guessed: string[];
  columns: ColumnReading[];
  notes: string[];
}

/** A version beyond the latest usable one: still being made, or one that could not be made. */
export interface PendingVersion {
  version: number;
  status: DatasetStatus;
  origin: VersionOrigin;
  job_id: string | null;
  error: string | null;
}

/** The health report in a line: how many findings of each kind. */
export interface HealthBrief {
  alerts: number;
  warnings: number;
  notes: number;
}

/** One dataset at one version. `schema` is empty until it is ready. `access` tells what the asking account may do; only its owner learns with how many named people it is shared. */
export interface DatasetRead {
  id: string;
  name: string;
  status: DatasetStatus;
  error: string | null;
  owner: Named;
  visibility: Visibility;
  access: AccessLevel;
  /** Number of named people, for its owner. */
  shared_with: number | null;
  version: number;
  /** The version that is used when none is named. */
  latest: number;
  origin: VersionOrigin;
  /** A newer version that is being made, or failed. */
  pending: PendingVersion | null;
  rows: number | null;
  schema: Column[];
  column_count: number | null;
  format: string | null;
  filename: string;
  /** Bytes of the file as it was uploaded. */
  size: number;
  job_id: string | null;
  report: ReadReport | null;
  /** How many findings the health report has; null until it is there. */
  health: HealthBrief | null;
  likely_target: string | null;
  created_at: string;
  updated_at: string;
}

/** What is said about a file before its bytes come. */
export interface DatasetUpload {
  filename: string;
  name?: string | null;
  visibility?: Visibility;
  /** Bytes, when known. */
  size?: number | null;
  /** Id or name of a dataset that gets the file as its next version. */
  version_of?: string | null;
  options?: ReadOptions;
}

/** Bytes that an account stores, sealed, with all that was made from its files; `null` where nothing is limited. */
export interface UsageRead {
  used: number;
  datasets: number;
  models: number;
  quota: number | null;
  free: number | null;
  /** Bytes of the largest file that may be sent. */
  upload_limit: number;
}

export interface DatasetUpdate {
  name?: string | null;
  visibility?: Visibility | null;
}

/** One condition on one column; `value` is a list for `in` and a pair for `between`. */
export interface Filter {
  column: string;
  op: FilterOperator;
  value?: unknown;
}

export interface Sort {
  column: string;
  descending?: boolean;
}

/** A page of rows, sorted and filtered on the server. */
export interface RowsRequest {
  version?: number | null;
  offset?: number;
  limit?: number;
  columns?: string[] | null;
  sort?: Sort[];
  filters?: Filter[];
  /** Text that some column contains. */
  search?: string | null;
  /** Longer texts are cut after so many characters, with an ellipsis behind them. */
  text_limit?: number | null;
}

/** Rows as lists in the order of `columns`. Cells are null, booleans, numbers or texts: dates are ISO 8601, numbers that a double cannot hold exactly are texts. */
export interface RowsRead {
  version: number;
  columns: Column[];
  rows: unknown[][];
  offset: number;
  /** Rows that match the filters. */
  total: number;
}

/** One figure per group; `column` is not needed to count rows. `quantile` needs `q` and is named `q0.95_price`. `box` gives what a box plot draws, as six columns: `low_`, `q1_`, `median_`, `q3_`, `high_` (whiskers at the outermost values within 1.5 interquartile ranges) and `outside_`, the number of values beyond the whiskers. */
export interface Measure {
  op: Aggregation;
  column?: string | null;
  /** Which quantile, from 0 to 1. */
  q?: number | null;
}

/** What to group by: the values of a column, a number of equal bins, or a bucket of time. */
export interface Grouping {
  column: string;
  bins?: number | null;
  bucket?: TimeBucket | null;
}

/** An aggregate over one version. */
export interface QueryRequest {
  version?: number | null;
  group_by?: Grouping[];
  measures?: Measure[];
  filters?: Filter[];
  limit?: number;
}

/** Column names and rows of an aggregate; a bin is named by its lower edge, a bucket by its start. `bins` holds all edges of each column that was grouped by bins, one more than there are bins. */
export interface QueryRead {
  version: number;
  columns: string[];
  rows: unknown[][];
  truncated: boolean;
  bins: Record<string, unknown[]>;
}

/** One version of a dataset. `sentence` says in words how it was made. */
export interface VersionRead {
  version: number;
  /** Whether it is the one that is used when no version is named. */
  latest: boolean;
  status: DatasetStatus;
  origin: VersionOrigin;
  /** The version of the same dataset that it was made from. */
  from_version: number | null;
  sentence: string;
  /** The code of the fix that made it. */
  fix: string | null;
  by: Named | null;
  filename: string;
  size: number;
  rows: number | null;
  column_count: number | null;
  format: string | null;
  /** What was asked for when the file was read. */
  options: ReadOptions | null;
  /** Whether there is an uploaded file behind it, which can be read again. */
  has_original: boolean;
  error: string | null;
  job_id: string | null;
  created_at: string;
}

/** Read the sealed original again. The options replace those of the first time; what is left out is guessed. */
export interface VersionCreate {
  /** Whose original to read; that of the latest version when left out. */
  version?: number | null;
  options?: ReadOptions;
}

/** Make an older version the latest one; the ones between stay. */
export interface RestoreRequest {
  version: number;
}

/** How often values are in both versions. `labels` are texts, or the `len(counts) + 1` edges of bins when `binned`. */
export interface Distribution {
  binned: boolean;
  labels: (number | string)[];
  before: number[];
  after: number[];
}

/** One column in both versions; `changed` when its kind, its gaps or its values differ. */
export interface ColumnComparison {
  name: string;
  change: ColumnChange;
  kind_before: ColumnKind | null;
  kind_after: ColumnKind | null;
  before: ColumnProfile | null;
  after: ColumnProfile | null;
  /** Half the sum of the differences of all shares: 0 for the same distribution, 1 for no value in common. */
  shift: number | null;
  distribution: Distribution | null;
  sentences: string[];
}

/** What changed between two versions of a dataset, most different columns first. */
export interface VersionComparison {
  dataset: Named;
  from_version: number;
  to_version: number;
  rows_before: number;
  rows_after: number;
  columns: ColumnComparison[];
  sentences: string[];
}

/** What was made from a dataset or one of its versions, and what goes with it when it is deleted. */
export interface Dependents {
  /** Trained from it; they stay, but cannot be trained further. */
  models: Named[];
  /** Datasets of predictions for its rows; they stay. */
  predictions: Named[];
  /** Models and datasets made from it that are not shared with you. */
  unseen: number;
  /** Work that would be stopped. */
  jobs: number;
  versions: number;
  /** What would be erased. */
  bytes: number;
  /** Named people who would lose it. */
  people: number;
  /** Versions that were made from the one that was asked about; they stay. */
  later: number[];
}

/** One thing; `id` is unique within the answer, `subject_id` is that of the dataset or model to open. */
export interface LineageNode {
  id: string;
  kind: NodeKind;
  name: string;
  subject_kind: 'dataset' | 'model';
  subject_id: string;
  version: number | null;
  status: string | null;
  rows: number | null;
  created_at: string | null;
  /** Whether it belongs to the thing that was asked about. */
  here: boolean;
}

/** `target` was made from `source` in the way that `label` says. */
export interface LineageEdge {
  source: string;
  target: string;
  label: string;
}

/** Nodes that the asking account may see, oldest first, and the edges between them. */
export interface Lineage {
  nodes: LineageNode[];
  edges: LineageEdge[];
}

/** What to learn. What is left out is chosen and said aloud in the results. */
export interface TrainRequest {
  /** Id or name of the dataset. */
  dataset: string;
  target?: string | null;
  /** Dataset version; the latest when left out. */
  version?: number | null;
  /** The name of one's own model makes the next version of it. */
  name?: string | null;
  task?: Task | null;
  /** Seconds. */
  time_budget?: number;
  /** Number of trials; makes the search repeatable. */
  trials?: number | null;
  metric?: string | null;
  /** How rows are held back to check on; suggested with a reason when left out. */
  validation?: Validation | null;
  /** Rows with the same value in this column stay on one side; implies validation by group. */
  group?: string | null;
  /** The column that orders the rows for validation forward in time. */
  time_column?: string | null;
  families?: Family[] | null;
  /** Fixed hyperparameters by family, then by name. */
  params?: Record<string, unknown>;
  /** Columns that are not used. */
  exclude?: string[];
  /** Columns that are used though a guard would hold them back. */
  allow?: string[];
  /** What is done to rows that a guard has found. */
  clean?: Cleaning[];
  /** By column, the values that stand for missing, such as 999. */
  missing?: Record<string, unknown[]>;
  seed?: number;
}

/** One metric on rows that the search never saw, with its 95 % interval and what guessing reaches. */
export interface Score {
  name: string;
  label: string;
  value: number;
  low: number;
  high: number;
  baseline: number;
  greater_is_better: boolean;
}

/** One click that answers a guard: the fields of the train request that change, with their new values. The request as it was is the undo; a fix that has been applied is not offered again. */
export interface Fix {
  /** drop_columns, keep_columns, group_by, forward_split, clean_rows, mark_missing or set_task. */
  code: string;
  /** The words of the button. */
  label: string;
  /** Fields of the train request with the values that they get. */
  change: Record<string, unknown>;
}

/** The score again after a fix, by the same learner with the same settings on the same kind of split. */
export interface SecondScore {
  metric: string;
  label: string;
  greater_is_better: boolean;
  before: number;
  after: number;
  sentence: string;
  /** The words of the fix that was tried. */
  fix: string | null;
  /** The code of the finding that it answers. */
  guard: string | null;
  /** The columns that the fix is about. */
  columns: string[];
}

/** Which score is wanted: with the fix of a finding, or without some columns. */
export interface RescoreRequest {
  /** The code of a finding; its recommended fix is tried. */
  guard?: string | null;
  /** The code of another fix of that finding. */
  fix?: string | null;
  /** The columns to score without; with a finding, some of its columns. */
  columns?: string[];
  /** Seconds. */
  time_budget?: number;
}

/** A check made before anything is scored. */
export interface Guard {
  code: string;
  state: GuardState;
  severity: Severity;
  sentence: string;
  columns: string[];
  /** The first rows that show it, by their number in the dataset. */
  rows: number[];
  rows_count: number;
  /** How strongly each of the columns shows it. */
  values: Record<string, number>;
  /** The first one is recommended. */
  fixes: Fix[];
  /** The score with and without what was found, where it has been tried. */
  second: SecondScore | null;
}

/** One candidate: a learner with its parameters and its cross-validated score. */
export interface Trial {
  number: number;
  family: string;
  label: string;
  params: Record<string, unknown>;
  score: number | null;
  std: number | null;
  seconds: number;
  status: 'done' | 'failed' | 'stopped';
  error: string | null;
  at: string;
  is_best: boolean;
  /** One fit on the rows of the search. */
  fit_seconds: number | null;
  /** 1,000 rows. */
  predict_seconds: number | null;
  /** 95 % interval of the cross-validated score. */
  low: number | null;
  high: number | null;
  /** Not clearly worse than the best one. */
  near_best: boolean;
  /** The simplest of those that are not clearly worse than the best. */
  recommended: boolean;
}

/** How much worse the score gets when the column is shuffled, on rows never trained on. */
export interface Importance {
  column: string;
  value: number;
  std: number;
}

/** Points of a line; `kind` is roc, precision_recall, calibration, gain, residuals or coverage. */
export interface Curve {
  kind: string;
  label: string;
  x: number[];
  y: number[];
  x_label: string;
  y_label: string;
}

/** Counts on the locked test part: rows are the true classes, columns the predicted ones. */
export interface Confusion {
  classes: string[];
  counts: number[][];
}

/** Predicted against actual on a sample of the locked test part (regression). */
export interface Scatter {
  actual: number[];
  predicted: number[];
}

/** What each threshold would do on the locked test part (two classes): named when its probability is at least the threshold. Arrays of one length, thresholds falling; counts of rows. */
export interface Decisions {
  positive: string;
  thresholds: number[];
  true_positives: number[];
  false_positives: number[];
  positives: number;
  negatives: number;
}

/** How a threshold is chosen: by its value, by what each error costs, or by how many cases can be looked at. */
export interface DecisionRequest {
  threshold?: number | null;
  /** What it costs to name a case that is none. */
  cost_false_alarm?: number | null;
  /** What it costs to miss a case. */
  cost_missed?: number | null;
  /** The share of all rows that can be looked at. */
  capacity?: number | null;
}

/** One threshold and what it does, in cases of 1,000 rows. */
export interface Decision {
  threshold: number;
  named: number;
  right: number;
  missed: number;
  precision: number;
  recall: number;
  /** Per 1,000 rows. */
  cost: number | null;
  sentence: string;
}

/** What the model says on average when one column is set to each of these values, all else as it is (PDP), with single rows (ICE). */
export interface Dependence {
  column: string;
  values: unknown[];
  mean: number[];
  /** One line per row of a sample. */
  rows: number[][];
  /** What the numbers are: the probability of a class, or the predicted amount. */
  label: string;
}

/** How much one column moves the answer for one row, against typical rows. */
export interface Reason {
  column: string;
  value: unknown;
  effect: number;
}

/** Why the model says what it says about one row; effects add up to output minus base approximately. */
export interface Reasons {
  base: number;
  output: number;
  label: string;
  reasons: Reason[];
  method: string;
}

/** How often the true amount lies within the interval told for it (regression). */
export interface Coverage {
  level: number;
  reached: number;
  half_width: number;
  sentence: string;
}

/** How the rows were divided, in numbers and in words. */
export interface Split {
  validation: Validation;
  /** The column of groups or of time. */
  column: string | null;
  /** Why the rows are divided this way. */
  reason: string | null;
  repeats: number;
  folds: number;
  rows_train: number;
  rows_test: number;
  rows_left_out: number;
  seed: number;
  sentence: string;
}

/** All that is known about a trained model. */
export interface Results {
  model: Named;
  dataset: Named;
  dataset_version: number;
  target: string;
  /** The target as the dataset describes it, with its kind and unit. */
  target_column: Column | null;
  task: Task;
  task_reason: string;
  /** The result in one sentence for anyone. */
  sentence: string;
  /** The metric that the search went by. */
  metric: string;
  scores: Score[];
  guards: Guard[];
  leaderboard: Trial[];
  importances: Importance[];
  curves: Curve[];
  confusion: Confusion | null;
  scatter: Scatter | null;
  classes: string[] | null;
  positive: string | null;
  best: Trial;
  split: Split;
  features: Column[];
  libraries: Record<string, string>;
  seconds: number;
  stopped_early: boolean;
  /** The worst finding that still stands. */
  worst: Guard | null;
  /** Number of the trial that is advised: as good as the best, and simpler. */
  recommended: number | null;
  /** The search's metric over the folds, with its interval. */
  cross_validated: Score | null;
  decisions: Decisions | null;
  /** Two classes: the probability from which the positive class is named. */
  threshold: number | null;
  dependence: Dependence[];
  coverage: Coverage | null;
  /** The request as it was carried out, for fixes, undo and the notebook. */
  recipe: Record<string, unknown>;
  /** What was guessed and should be looked at. */
  question: TaskGuess | null;
  /** How often somebody looked at these scores of the locked test part. */
  test_looks: number;
  /** Scores with a fix, or without some columns, that were asked for since. */
  second_scores: SecondScore[];
}

/** What kind of task a target makes, and why. */
export interface TaskGuess {
  task: Task;
  reason: string;
  certain: boolean;
  /** What it could be instead. */
  others: Task[];
}

/** How rows should be held back, and why. */
export interface ValidationGuess {
  validation: Validation;
  reason: string;
  column: string | null;
  folds: number;
  repeats: number;
}

/** What a training would do, said before it starts. */
export interface Advice {
  target: string;
  task: TaskGuess;
  metric: string;
  metric_label: string;
  validation: ValidationGuess;
  /** Those that can be known from the columns already. */
  guards: Guard[];
  sentence: string;
}

/** The trials so far, best first. */
export interface Leaderboard {
  model: string;
  status: ModelStatus;
  metric: string | null;
  metric_label: string | null;
  greater_is_better: boolean;
  trials: Trial[];
  seconds_left: number | null;
  time_budget: number;
  /** Families that are not tried any more. */
  skipped: string[];
}

/** One model version. `target` and `sentence` come from the data and are kept sealed. `access` tells what the asking account may do; only its owner learns with how many named people it is shared. */
export interface ModelRead {
  id: string;
  name: string;
  version: number;
  status: ModelStatus;
  error: string | null;
  owner: Named;
  visibility: Visibility;
  access: AccessLevel;
  /** Number of named people, for its owner. */
  shared_with: number | null;
  dataset: Named;
  dataset_version: number;
  target: string | null;
  task: Task | null;
  metric: string | null;
  /** The headline score: the one that was searched by. */
  score: Score | null;
  /** The score that says most without explanation: the share that is right, or the typical error. */
  plain_score: Score | null;
  /** What the target's numbers are counted in, such as $; typical errors are in it too. */
  unit: string | null;
  sentence: string | null;
  trials: number;
  time_budget: number;
  job_id: string | null;
  /** Whether predictions by name go to this version. */
  champion: boolean;
  origin: ModelOrigin;
  notes: string | null;
  tags: string[];
  /** Families that are not tried any more. */
  skipped: string[];
  /** The threshold policy that answers follow. */
  policy_version: number | null;
  /** Code of what the watch over its predictions found, until it is over. */
  alert: string | null;
  /** The gravest thing that its checks found, where it should not be relied on as it is. */
  concern: string | null;
  created_at: string;
  updated_at: string;
}

/** What is left out stays as it is. A name and who may see it hold for all versions, notes and tags for this one. */
export interface ModelUpdate {
  name?: string | null;
  visibility?: Visibility | null;
  notes?: string | null;
  tags?: string[] | null;
}

/** More time for a search that goes on. */
export interface ExtendRequest {
  seconds?: number;
}

/** A family that a search should not try any more. */
export interface SkipRequest {
  family: Family;
}

/** From which probability of the positive class on the answer was yes. */
export interface PolicyApplied {
  version: number;
  threshold: number;
}

/** Rows to predict now, as objects of column name to value. */
export interface PredictRequest {
  rows: Record<string, unknown>[];
  /** Model version; the champion, else the latest trained one, when left out. */
  version?: number | null;
  /** Say for each row why; for 20 rows at the most. */
  explain?: boolean;
}

/** The answer for one row; probabilities by class for a classifier. */
export interface Prediction {
  prediction: unknown;
  probabilities: Record<string, number> | null;
  /** Why, where it was asked for. */
  reasons: Reasons | null;
}

/** Answers in the order of the rows, and what they can be traced by. */
export interface PredictRead {
  /** Names this call in the prediction log. */
  id: string;
  model: Named;
  model_version: number;
  policy: PolicyApplied | null;
  at: string;
  predictions: Prediction[];
  /** What was missing or new in the rows. */
  notes: string[];
}

/** A whole dataset to predict; the answer becomes a dataset of its own. */
export interface BatchPredictRequest {
  dataset: string;
  /** Dataset version; the latest when left out. */
  version?: number | null;
  /** The champion, else the latest trained one, when left out. */
  model_version?: number | null;
  name?: string | null;
}

/** The job, and the dataset that it will fill. */
export interface BatchPredictRead {
  job_id: string;
  dataset_id: string;
  dataset_name: string;
  /** The dataset that is predicted. */
  source_id: string | null;
}

/** Why a version becomes the champion, or stops being it. */
export interface ReasonRequest {
  reason: string;
}

/** One change of the champion. */
export interface PromotionRead {
  /** Id of the version that became the champion. */
  model: string;
  /** Missing when that version was deleted since. */
  version: number | null;
  kind: 'promote' | 'rollback';
  reason: string;
  by: Named;
  at: string;
}

/** All versions of a name, newest first, and how the champion changed, latest change first. */
export interface VersionsRead {
  name: string;
  champion: number | null;
  versions: ModelRead[];
  promotions: PromotionRead[];
}

/** One metric of two models; `apart` tells that their 95 % intervals do not overlap. */
export interface ScorePair {
  name: string;
  label: string;
  greater_is_better: boolean;
  a: number | null;
  b: number | null;
  better: 'a' | 'b' | null;
  apart: boolean;
}

/** Something in which two models differ. */
export interface Difference {
  name: string;
  a: unknown;
  b: unknown;
}

/** Two models side by side. */
export interface Comparison {
  a: ModelRead;
  b: ModelRead;
  sentence: string;
  /** Whether both were scored on the same rows; otherwise small differences mean nothing. */
  same_rows: boolean;
  scores: ScorePair[];
  recipe: Difference[];
  columns_only_a: string[];
  columns_only_b: string[];
  columns_both: number;
}

/** One recipe over many datasets. */
export interface BatchTrainRequest {
  /** Ids or names. */
  datasets: string[];
  /** Each dataset's likely target when left out. */
  target?: string | null;
  /** Of the batch. */
  name?: string | null;
  task?: Task | null;
  /** Seconds for each dataset. */
  time_budget?: number;
  trials?: number | null;
  metric?: string | null;
  validation?: Validation | null;
  families?: Family[] | null;
  params?: Record<string, unknown>;
  exclude?: string[];
  seed?: number;
}

/** A fitted scikit-learn pipeline, as skops bytes, and the dataset that it is scored on. */
export interface RegisterRequest {
  /** The name of one's own model makes the next version of it. */
  name: string;
  /** Id or name of a dataset with the pipeline's columns and the target. */
  dataset: string;
  target: string;
  /** Dataset version; the latest when left out. */
  version?: number | null;
  /** Told by the pipeline when left out. */
  task?: Task | null;
  /** The dataset's when left out. */
  visibility?: Visibility | null;
  /** Whether the pipeline never learned from rows of this dataset. */
  unseen?: boolean;
}

/** From which probability of the positive class on the answer is yes: chosen by value, by what errors cost, or by capacity. */
export interface ThresholdRequest {
  by: PolicyBasis;
  /** The probability; for by=value. */
  value?: number | null;
  /** What it costs to name a case that is none; for by=cost. */
  cost_false_alarm?: number | null;
  /** What it costs to miss a case; for by=cost. */
  cost_missed?: number | null;
  /** The share of all rows that can be looked at; for by=capacity. */
  capacity?: number | null;
  reason?: string;
}

/** A threshold policy, and what it did on the locked test part, in cases of 1,000. */
export interface PolicyRead {
  model: Named;
  model_version: number;
  version: number;
  by: PolicyBasis;
  threshold: number;
  positive: string;
  sentence: string;
  named: number | null;
  right: number | null;
  missed: number | null;
  cost: number | null;
  reason: string;
  set_by: Named;
  at: string;
}

/** A column that is about to be predicted from. */
export interface GivenColumn {
  name: string;
  kind?: ColumnKind | null;
}

/** Columns, or a dataset, that a model is about to be used on. */
export interface CheckRequest {
  columns?: GivenColumn[] | null;
  dataset?: string | null;
  /** Dataset version; the latest when left out. */
  version?: number | null;
}

/** A column of another kind than the model learned from. */
export interface Retyped {
  column: string;
  expected: ColumnKind;
  given: ColumnKind;
}

/** A missing column and one that may be meant by it. */
export interface Renamed {
  missing: string;
  perhaps: string;
}

/** How columns fit a model, said before it runs. */
export interface CheckRead {
  model: Named;
  model_version: number;
  usable: boolean;
  sentence: string;
  matched: string[];
  /** Count as missing values in every row. */
  missing: string[];
  /** Are not used. */
  new: string[];
  retyped: Retyped[];
  renamed: Renamed[];
}

/** What is said about a file that is uploaded and predicted in one call. */
export interface ScoredFileQuery {
  filename: string;
  /** Of the dataset with the predictions. */
  name?: string | null;
  /** The model's when left out. */
  visibility?: Visibility | null;
}

/** One call for predictions as it was logged. */
export interface LoggedCall {
  id: string;
  at: string;
  by: Named | null;
  door: string;
  model_version: number;
  policy_version: number | null;
  milliseconds: number;
  rows: number;
  inputs: Record<string, unknown>[];
  predictions: unknown[];
  /** Where the rows of a whole dataset and their answers are. */
  dataset: Named | null;
  error: string | null;
}

/** How far the values of a column moved from the training data (Jensen-Shannon distance, 0 to 1). */
export interface ColumnDrift {
  column: string;
  distance: number;
  level: DriftLevel;
  /** How much the model relies on it. */
  weight: number;
}

/** One stretch of time; quiet ones are left out. */
export interface MonitorPoint {
  at: string;
  calls: number;
  rows: number;
  errors: number;
  /** Mean time of a call. */
  milliseconds: number;
  slowest: number;
  input_drift: number | null;
  prediction_drift: number | null;
}

/** How a model is used, and whether what it is asked still looks like what it learned from. */
export interface MonitoringRead {
  model: Named;
  model_version: number;
  champion: boolean;
  days: number;
  calls: number;
  rows: number;
  errors: number;
  /** Mean time of a call. */
  milliseconds: number | null;
  p50: number | null;
  p95: number | null;
  /** prediction_drift, input_drift or errors, when something should be looked at. */
  code: string | null;
  sentence: string;
  input_drift: number | null;
  prediction_drift: ColumnDrift | null;
  columns: ColumnDrift[];
  series: MonitorPoint[];
  retention_days: number;
}

/** Rows that stand beside a picture, or alone. `total` is how many there were before they were cut. */
export interface TableWrite {
  columns: string[];
  rows?: ((boolean | number | string | null)[])[];
  total?: number | null;
}

/** A picture (PNG; nothing else is shown, and never a script), a table, or both. */
export interface InsightPublish {
  title: string;
  /** A sentence or two below the title. */
  note?: string | null;
  /** A PNG, in base64. */
  picture?: string | null;
  table?: TableWrite | null;
  /** Id or name of the dataset that it shows. */
  dataset?: string | null;
  /** Id or name of the model that it shows. */
  model?: string | null;
  /** That of the dataset or model when left out; without one, team. */
  visibility?: Visibility | null;
  /** The library that drew it. */
  source?: string | null;
}

export interface InsightUpdate {
  title?: string | null;
  note?: string | null;
  visibility?: Visibility | null;
}

/** One insight. Its picture is a PNG at `/insights/{id}/picture`, its table at `/insights/{id}/table`. */
export interface InsightRead {
  id: string;
  title: string;
  note: string | null;
  owner: Named;
  visibility: Visibility;
  dataset: Named | null;
  dataset_version: number | null;
  model: Named | null;
  has_picture: boolean;
  width: number | null;
  height: number | null;
  has_table: boolean;
  rows: number | null;
  source: string | null;
  created_at: string;
  updated_at: string;
}

/** The table of an insight; `total` is how many rows there were before they were cut. */
export interface TableRead {
  columns: string[];
  rows: unknown[][];
  total: number;
}

/** What a job works for. */
export interface JobSubject {
  kind: 'dataset' | 'model' | 'batch';
  id: string;
  name: string;
}

/** One part of a batch. */
export interface JobLine {
  job_id: string;
  status: JobStatus;
  subject: JobSubject;
  progress: number;
  error: string | null;
}

/** One job. `dead` means that its process died three times. */
export interface JobRead {
  id: string;
  kind: JobKind;
  status: JobStatus;
  subject: JobSubject;
  /** From 0 to 1. */
  progress: number;
  message: string;
  error: string | null;
  attempt: number;
  owner: Named;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** The batch that it is part of. */
  parent_id: string | null;
  /** The parts of a batch, as far as the reader may see them. */
  lines: JobLine[];
}

/** dataset.uploaded, processing, ready, failed, deleted, changed. `version` is the one that it is about: a further version is processed while the one before stays in use. */
export interface DatasetEvent {
  name: string;
  status: string;
  version: number | null;
  rows: number | null;
  columns: number | null;
  error: string | null;
}

/** model.training, trained, failed, cancelled, promoted, deleted, changed. */
export interface ModelEvent {
  name: string;
  status: string;
  version: number;
  dataset: Named | null;
  error: string | null;
}

/** dataset.shared, model.shared: a person was given a level, or lost it (`level` is null). */
export interface SharedEvent {
  name: string;
  level: GrantLevel | null;
  person: Named;
}

/** model.trial: one more line of the leaderboard. */
export interface TrialEvent {
  name: string;
  number: number;
  family: string;
  score: number | null;
  is_best: boolean;
  seconds_left: number | null;
}

/** job.progress and the changes of a job's status. */
export interface JobEvent {
  kind: JobKind;
  status: JobStatus;
  progress: number;
  message: string;
  subject: Subject;
  subject_name: string;
  error: string | null;
}

/** prediction.ready, failed. */
export interface PredictionEvent {
  model: Named;
  dataset: Named | null;
  error: string | null;
}

/** monitor.alert: predictions of a model are not what they were; which columns is said on its page. */
export interface MonitorEvent {
  name: string;
  version: number;
  code: string;
  columns: number;
}

/** insight.published, changed, deleted. The title is not in it: it may name columns. */
export interface InsightEvent {
  dataset: Named | null;
  model: Named | null;
}

/** user.created, changed, signed_in, signed_out. */
export interface UserEvent {
  name: string;
  role: string | null;
}

/** system.alert, announcement, maintenance, scheduled, keys. Maintenance has a `state`: announced, on, off. An announcement is told when it begins and, `withdrawn`, when it is to be shown no more; one that is to come is `scheduled` until then, which only administrators are told, as they are of changes of keys. */
export interface SystemEvent {
  message: string;
  severity: string;
  state: string | null;
  starts_at: string | null;
  ends_at: string | null;
  withdrawn: boolean | null;
}

/** notification.read: the account has read lines at some door. */
export interface NotificationEvent {
  unread: number;
}

/** One line of the feed. `id` is the cursor to resume after it. */
export interface Event {
  id: string;
  type: string;
  at: string;
  actor: Named | null;
  subject: Subject;
  data: Record<string, unknown>;
}

/** Events after a cursor. `reset` tells that the cursor is from before a restore or too old: load everything anew. */
export interface EventPage {
  items: Event[];
  next: string;
  more: boolean;
  reset: boolean;
}

/** A message to everybody; it begins at once and stays until it is withdrawn where no time is given. */
export interface AnnouncementCreate {
  message: string;
  severity?: Severity;
  starts_at?: string | null;
  ends_at?: string | null;
}

export interface AnnouncementRead {
  id: string;
  message: string;
  severity: Severity;
  author: Named;
  created_at: string;
  starts_at: string;
  ends_at: string | null;
  /** Whether it is to be shown now. */
  is_current: boolean;
  /** Whether it is to be shown from a later time on. */
  is_coming: boolean;
}

/** Announce maintenance: from its beginning on nothing new is taken in, until it is ended. */
export interface MaintenanceStart {
  message?: string;
  /** Minutes until it begins; 0 means at once. */
  in_minutes?: number;
  /** How long it is expected to take, in minutes. */
  minutes?: number | null;
}

/** Whether changes are taken in. Countdowns are given in seconds, so that a clock that is wrong does not matter. */
export interface MaintenanceRead {
  state: MaintenanceState;
  message: string;
  starts_at: string | null;
  /** When it is expected to end; it does not end by itself. */
  ends_at: string | null;
  /** Seconds until it begins, while it is announced. */
  starts_in: number | null;
  /** Seconds until its expected end; 0 when that has passed. */
  ends_in: number | null;
  /** Jobs that still run to their end. */
  running_jobs: number;
}

/** One line behind the bell, and where it leads. */
export interface NotificationRead {
  /** The cursor of the event that it was made from. */
  id: string;
  type: string;
  severity: Severity;
  title: string;
  at: string;
  actor: Named | null;
  link: Subject | null;
  is_read: boolean;
}

/** The bell: lines, newest first, and how many are not read (100 stands for that many or more). */
export interface NotificationPage {
  items: NotificationRead[];
  next: string | null;
  unread: number;
}

/** Mark one line as read by its id; without one, all of them. */
export interface NotificationMarkRequest {
  id?: string | null;
}

export interface NotificationCount {
  unread: number;
}

/** One row of the audit log. */
export interface AuditRead {
  id: number;
  at: string;
  actor_id: string | null;
  actor_name: string;
  door: string;
  address: string;
  action: string;
  subject_kind: string | null;
  subject_id: string | null;
  outcome: string;
  request_id: string;
  details: Record<string, unknown>;
}

/** Which rows; everything that is left out lets all through. */
export interface AuditFilter {
  /** What the action begins with, such as dataset or dataset.delete. */
  action?: string | null;
  /** Id or name of the account. */
  actor?: string | null;
  outcome?: Outcome | null;
  /** Id of what it was done to. */
  subject?: string | null;
  /** From this moment on. */
  since?: string | null;
  /** Before this moment. */
  until?: string | null;
}

/** The end of the log: keep it elsewhere, and a log that was cut later is recognised. */
export interface AuditHeadRead {
  seq: number;
  /** Code of the newest row, hexadecimal. */
  mac: string;
  instance_id: string;
  at: string;
}

/** Rows that are not as they were written. */
export interface AuditFinding {
  /** changed, removed, added or moved */
  kind: string;
  row: number;
  last_row: number;
  says: string;
}

/** Whether the log is whole. */
export interface AuditVerification {
  ok: boolean;
  rows: number;
  against_head: boolean;
  head: AuditHeadRead;
  findings: AuditFinding[];
}

export interface HealthRead {
  status: string;
}

/** One worker process that reported within the last half minute. */
export interface WorkerRead {
  id: string;
  pid: number;
  host: string;
  started_at: string;
  seen_at: string;
  jobs: number;
}

/** How long answers took in the last five minutes; at `queue`, how long the last jobs waited for a worker. */
export interface LatencyRead {
  /** dashboard, api or queue. */
  door: string;
  answers: number;
  p50_ms: number;
  p95_ms: number;
  slowest_ms: number;
}

/** Addresses, isolation and workers; an address is null while nothing answers there. */
export interface StatusRead {
  version: string;
  home: string;
  /** How well accounts are kept apart on this machine, said openly. */
  isolation: string;
  api: string | null;
  jupyterlab: string | null;
  dashboard: string | null;
  workers: WorkerRead[];
  queued: number;
  running: number;
  maintenance: MaintenanceRead;
  latency: LatencyRead[];
}

/** What is counted in the whole workspace, and in the process that answers. */
export interface NumbersRead {
  queued: number;
  running: number;
  /** How long the job that has waited longest waits. */
  oldest_queued_seconds: number;
  workers: number;
  /** The number of the newest event. */
  events: number;
  objects: number;
  stored_bytes: number;
  /** Decrypted columns that this process keeps. */
  cached_bytes: number;
  /** Whether Redis answers; null where there is none. */
  shared_cache: boolean | null;
}

/** Start the dashboard on this machine when none answers. */
export type DashboardStart = Record<string, never>;

/** Where the dashboard is, with a sign-in that is good once. */
export interface DashboardAddress {
  url: string;
  started: boolean;
}

/** Where the schema of a database is; `current` is null before the first start. */
export interface DatabaseRead {
  kind: string;
  current: string | null;
  newest: string;
}

/** What each type of event carries. */
export interface EventPayloads {
  'dataset.uploaded': DatasetEvent;
  'dataset.processing': DatasetEvent;
  'dataset.ready': DatasetEvent;
  'dataset.failed': DatasetEvent;
  'dataset.changed': DatasetEvent;
  'dataset.deleted': DatasetEvent;
  'dataset.shared': SharedEvent;
  'model.training': ModelEvent;
  'model.trial': TrialEvent;
  'model.trained': ModelEvent;
  'model.failed': ModelEvent;
  'model.cancelled': ModelEvent;
  'model.promoted': ModelEvent;
  'model.changed': ModelEvent;
  'model.deleted': ModelEvent;
  'model.shared': SharedEvent;
  'prediction.ready': PredictionEvent;
  'prediction.failed': PredictionEvent;
  'monitor.alert': MonitorEvent;
  'insight.published': InsightEvent;
  'insight.changed': InsightEvent;
  'insight.deleted': InsightEvent;
  'job.queued': JobEvent;
  'job.started': JobEvent;
  'job.progress': JobEvent;
  'job.finished': JobEvent;
  'user.created': UserEvent;
  'user.changed': UserEvent;
  'user.signed_in': UserEvent;
  'user.signed_out': UserEvent;
  'system.alert': SystemEvent;
  'system.announcement': SystemEvent;
  'system.maintenance': SystemEvent;
  'system.scheduled': SystemEvent;
  'system.keys': SystemEvent;
  'notification.read': NotificationEvent;
}

export type EventType = keyof EventPayloads;

/** The release that this was made from. */
export const VERSION = '0.1.0';

/** Time budgets by name, in seconds. */
export const BUDGETS = { quick: 30, standard: 300, thorough: 3600 } as const;

/** A job in one of these is over. */
export const FINAL_JOB_STATUSES: readonly JobStatus[] = ['cancelled', 'dead', 'failed', 'succeeded'];

/** The stable codes of the server's errors. */
export type ErrorCode =
  | 'account_not_found'
  | 'broken'
  | 'busy'
  | 'column_unknown'
  | 'conflict'
  | 'cursor_invalid'
  | 'dataset_not_found'
  | 'denied'
  | 'error'
  | 'file_unreadable'
  | 'insight_not_found'
  | 'integrity_failed'
  | 'internal'
  | 'invalid'
  | 'job_cancelled'
  | 'job_failed'
  | 'job_not_found'
  | 'key_wrong'
  | 'last_admin'
  | 'login_refused'
  | 'maintenance'
  | 'malformed'
  | 'media_unsupported'
  | 'memory_exceeded'
  | 'method_not_allowed'
  | 'model_not_found'
  | 'model_type_refused'
  | 'name_ambiguous'
  | 'name_taken'
  | 'not_found'
  | 'not_ready'
  | 'not_signed_in'
  | 'password_weak'
  | 'quota_exceeded'
  | 'route_not_found'
  | 'rows_mismatch'
  | 'setting_invalid'
  | 'share_not_found'
  | 'sign_in_not_found'
  | 'storage_full'
  | 'target_unusable'
  | 'throttled'
  | 'time_exceeded'
  | 'too_large'
  | 'too_slow'
  | 'unavailable'
  | 'worker_lost';
