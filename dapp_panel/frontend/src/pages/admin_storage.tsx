// What each account stores, and how much of it is allowed.
import * as format from "../format";
import { useCall } from "../query";
import { nameOf } from "../session";
import { Meter } from "../charts/small";
import { Card, Trouble } from "../parts/surface";

interface Quota {
  account: { id: string; name: string };
  email: string;
  used: number;
  quota: number | null;
}

export function Storage() {
  const found = useCall<{ items: Quota[] } | Quota[]>("accounts.quotas");
  const items = Array.isArray(found.data) ? found.data : (found.data?.items ?? []);
  return (
    <Card title="Storage" note="Sealed bytes of each account, with all that was made from its files. Set a limit with jupyter dapp quota." flush>
      {found.error && <Trouble error={found.error} again={found.reload} />}
      <ul class="lines">
        {items.map((each) => (
          <li key={each.account.id} class="version-line">
            <span class="grow strong clip">{nameOf({ name: each.account.name, email: each.email })}</span>
            {each.quota !== null && <Meter share={each.quota ? each.used / each.quota : 1} label={`${format.bytes(each.used)} of ${format.bytes(each.quota)}`} />}
            <span class="small muted num">
              {format.bytes(each.used)}
              {each.quota !== null && ` of ${format.bytes(each.quota)}`}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
