// Icons of lucide, drawn as elements; only those named here are in the bundle.
import {
  Activity,
  ArrowDown,
  ArrowRight,
  ArrowUp,
  Bell,
  BrainCircuit,
  Calendar,
  ChartColumn,
  ChartLine,
  ChartNoAxesCombined,
  ChartScatter,
  Check,
  ChevronDown,
  ChevronRight,
  CircleAlert,
  CircleCheck,
  CircleUserRound,
  Clock,
  CloudUpload,
  Columns3,
  Copy,
  Database,
  Download,
  Ellipsis,
  Eye,
  FileCode,
  FileSpreadsheet,
  Funnel,
  Gauge,
  GitCompare,
  Grid3x3,
  Hash,
  History,
  House,
  Image,
  Info,
  KeyRound,
  Layers,
  Link2,
  Lock,
  LogOut,
  Mail,
  Medal,
  Megaphone,
  MonitorSmartphone,
  Moon,
  Pencil,
  Plus,
  Printer,
  RefreshCw,
  Search,
  Share2,
  ShieldCheck,
  SkipForward,
  SlidersHorizontal,
  Sparkles,
  Square,
  Sun,
  SunMoon,
  Table2,
  Tag,
  Target,
  Timer,
  ToggleLeft,
  Trash2,
  TriangleAlert,
  Trophy,
  Type,
  Undo2,
  Users,
  WandSparkles,
  Wifi,
  Workflow,
  Wrench,
  X,
} from "lucide";
import { h } from "preact";

const ICONS = {
  activity: Activity,
  down: ArrowDown,
  forward: ArrowRight,
  up: ArrowUp,
  model: BrainCircuit,
  calendar: Calendar,
  chart: ChartColumn,
  explore: ChartNoAxesCombined,
  check: Check,
  open: ChevronDown,
  next: ChevronRight,
  alert: CircleAlert,
  passed: CircleCheck,
  person: CircleUserRound,
  clock: Clock,
  upload: CloudUpload,
  columns: Columns3,
  data: Database,
  download: Download,
  more: Ellipsis,
  file: FileSpreadsheet,
  filter: Funnel,
  hash: Hash,
  home: House,
  info: Info,
  lock: Lock,
  leave: LogOut,
  best: Medal,
  moon: Moon,
  edit: Pencil,
  plus: Plus,
  again: RefreshCw,
  search: Search,
  shield: ShieldCheck,
  train: Sparkles,
  stop: Square,
  sun: Sun,
  system: SunMoon,
  table: Table2,
  tag: Tag,
  target: Target,
  timer: Timer,
  boolean: ToggleLeft,
  remove: Trash2,
  warn: TriangleAlert,
  text: Type,
  team: Users,
  predict: WandSparkles,
  line: Wifi,
  close: X,
  bell: Bell,
  copy: Copy,
  link: Link2,
  history: History,
  undo: Undo2,
  share: Share2,
  key: KeyRound,
  megaphone: Megaphone,
  gauge: Gauge,
  tune: SlidersHorizontal,
  compare: GitCompare,
  lineage: Workflow,
  print: Printer,
  eye: Eye,
  code: FileCode,
  image: Image,
  fix: Wrench,
  champion: Trophy,
  layers: Layers,
  mail: Mail,
  skip: SkipForward,
  device: MonitorSmartphone,
  heat: Grid3x3,
  scatter: ChartScatter,
  chartline: ChartLine,
} as const;

export type IconName = keyof typeof ICONS;

/** An icon beside words; it says nothing by itself. */
export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {ICONS[name].map(([shape, attributes], index) => h(shape, { key: index, ...(attributes as object) }))}
    </svg>
  );
}

const KINDS: Record<string, [IconName, string]> = {
  integer: ["hash", "Whole number"],
  decimal: ["hash", "Number"],
  boolean: ["boolean", "Yes or no"],
  category: ["tag", "Category"],
  text: ["text", "Text"],
  date: ["calendar", "Date"],
  datetime: ["calendar", "Date and time"],
  time: ["clock", "Time of day"],
  duration: ["timer", "Duration"],
};

/** What a column holds, as people say it. */
export function kindName(kind: string): string {
  return KINDS[kind]?.[1] ?? kind;
}

/** The sign of a column's kind, named for who cannot see it. */
export function KindIcon({ kind, size = 16 }: { kind: string; size?: number }) {
  return (
    <span class="kind" title={kindName(kind)}>
      <Icon name={KINDS[kind]?.[0] ?? "text"} size={size} />
      <span class="hush">{kindName(kind)}</span>
    </span>
  );
}
