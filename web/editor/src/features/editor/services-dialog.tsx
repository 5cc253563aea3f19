import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { usersOfService } from "../../document/parameters";
import { bodies, freshSlug, joined, slugify } from "../../document/tree";
import type { FlowDocument, Service } from "../../document/types";
import { mayEdit } from "../../api/client";
import { useCatalogue } from "../../state/catalogue-store";
import { act, useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { PropertyForm } from "../inspector/property-form";
import { Users } from "./users";

/** Controller services of the whole flow, and who uses each. */
export function ServicesDialog() {
  const document = useDocument((state) => state.document);
  const types = useCatalogue((state) => state.services);
  const show = useUi((ui) => ui.show);
  const found = document ? services(document) : [];
  const [chosen, setChosen] = useState(found[0]?.[0]);
  const service = found.find(([id]) => id === chosen)?.[1];
  const add = (type: string) => {
    if (!document || !type) return;
    const id = freshSlug({ processors: document.services as never }, slugify(type.replace(/Connection$/, "")));
    if (act(`add ${type}`, [{ op: "add", kind: "services", id, value: { type } }])) setChosen(id);
  };
  return (
    <Dialog title="Services" size="wide" onClose={() => show({ dialog: undefined })}>
      <div className="split narrow">
        <div>
          <ul className="plain-list choose">
            {found.map(([id, one]) => (
              <li key={id}>
                <button type="button" className="row" aria-pressed={id === chosen} onClick={() => setChosen(id)}>
                  <b>{id}</b> <span className="muted">{one.type}</span>
                </button>
              </li>
            ))}
          </ul>
          {mayEdit && Object.keys(types).map((type) => <Button key={type} icon={Plus} onClick={() => add(type)}>Add {type}</Button>)}
        </div>
        {document && chosen && service ? (
          <div>
            <div className="bar wrap">
              <span className="muted">Used by</span> <Users ids={usersOfService(document, chosen)} />
              <span className="spacer" />
              {mayEdit && <Button icon={Trash2} onClick={() => act(`delete ${chosen}`, [{ op: "remove", kind: "services", id: chosen }])}>Delete</Button>}
            </div>
            <PropertyForm key={chosen} kind="services" id={chosen} type={service.type} properties={service.properties ?? {}} />
          </div>
        ) : (
          <p className="muted">A service is what several processors share, such as the connection to Kafka.</p>
        )}
      </div>
    </Dialog>
  );
}

function services(document: FlowDocument): [string, Service][] {
  return [...bodies(document)].flatMap(([group, body]) => Object.entries(body.services ?? {}).map(([slug, one]): [string, Service] => [joined(group, slug), one]));
}
