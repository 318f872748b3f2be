// The whole dashboard: it draws itself at once, and Panel gives it the line to the server when that is there.
import { render as draw } from "preact";
import { attach, onAccount, open, tellPlace } from "./channel";
import { onPlace, place, to } from "./router";
import { account, rights } from "./session";
import { Button } from "./parts/button";
import { Empty } from "./parts/surface";
import { Account } from "./pages/account";
import { Activity } from "./pages/activity";
import { Admin } from "./pages/admin";
import { Dataset } from "./pages/dataset";
import { Datasets } from "./pages/datasets";
import { Explore } from "./pages/explore";
import { Home } from "./pages/home";
import { Model } from "./pages/model";
import { Models } from "./pages/models";
import { Train } from "./pages/train";
import { Frame } from "./shell/frame";
import { Head, Page } from "./shell/page";
import "./live";

function Here() {
  const [first = "", second] = place.value.parts;
  switch (first) {
    case "":
      return <Home />;
    case "datasets":
      return second ? <Dataset key={second} id={second} /> : <Datasets />;
    case "explore":
      return <Explore id={second} />;
    case "train":
      return <Train />;
    case "models":
      return second ? <Model key={second} id={second} /> : <Models />;
    case "activity":
      return <Activity />;
    case "account":
      return <Account />;
    case "admin":
      return <Admin />;
    default:
      return <Nowhere />;
  }
}

function Nowhere() {
  return (
    <Page>
      <Head title="Nothing here" />
      <div class="card">
        <Empty
          icon="search"
          title="This address leads nowhere"
          action={
            <Button tone="main" href={to("/")}>
              Go home
            </Button>
          }
        >
          The link may be old, or a letter of it was lost.
        </Empty>
      </div>
    </Page>
  );
}

function addressOf(): string {
  return location.hash.replace(/^#/, "") || "/";
}

onPlace(() => tellPlace(addressOf()));
onAccount((fresh, allowed) => {
  account.value = fresh;
  rights.value = allowed;
});
tellPlace(addressOf());

const app = document.querySelector("#app") as HTMLElement;
app.replaceChildren();
draw(
  <Frame>
    <Here />
  </Frame>,
  app,
);

// Panel loads component modules by this name. They are of this server, and browsers that run this know `import`.
Object.assign(globalThis, {
  importShim: Object.assign((address: string) => import(new URL(address, document.baseURI).href), { addImportMap: () => undefined }),
});

// The shell is painted first; then comes the line.
requestAnimationFrame(() => setTimeout(() => void open(), 0));

/** Called by Panel with the model of the component. */
export function render({ model }: { model: Parameters<typeof attach>[0] }): HTMLElement {
  attach(model);
  return document.createElement("span");
}
