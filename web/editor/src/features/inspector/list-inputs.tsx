import { Plus, X } from "lucide-react";
import type { Entry, Json } from "../../document/types";
import { Button, IconButton } from "../../ui/button";
import { CodeInput } from "./expression-input";
import { TextInput } from "./text-input";
import type { WidgetProps } from "./widgets";

export function ListInput(props: WidgetProps) {
  const { id, field, value, onChange, topics = [], onAsk } = props;
  const list = topics.length ? `${id}-topics` : undefined;
  if (typeof value === "string") return <TextInput id={id} text={value} onText={(text) => onChange(text || null)} />;
  const items = Array.isArray(value) ? value.map(String) : [];
  const put = (next: string[]) => onChange(next.length ? next : null);
  return (
    <div className="entries">
      {items.map((item, index) => (
        <div key={index} className="entry">
          <TextInput id={index ? `${id}-${index}` : id} list={list} onFocus={onAsk} label={`${field.title} ${index + 1}`} text={item} onText={(text) => put(items.map((old, at) => (at === index ? text : old)))} />
          <IconButton icon={X} label={`Remove ${item || `entry ${index + 1}`}`} onClick={() => put(items.filter((_, at) => at !== index))} />
        </div>
      ))}
      <Button icon={Plus} {...(items.length ? {} : { id })} onClick={() => { onAsk?.(); put([...items, ""]); }}>Add</Button>
      {list && <datalist id={list}>{topics.map((name) => <option key={name} value={name} />)}</datalist>}
    </div>
  );
}

export function MapInput(props: WidgetProps) {
  const { id, field, value, onChange } = props;
  const entries = Object.entries((value && typeof value === "object" && !Array.isArray(value) ? value : {}) as Entry);
  const put = (next: [string, Json][]) => onChange(next.length ? Object.fromEntries(next) : null);
  const fresh = () => {
    for (let number = entries.length + 1; ; number++) if (!entries.some(([name]) => name === `name-${number}`)) return `name-${number}`;
  };
  return (
    <div className="entries">
      {entries.map(([name, item], index) => (
        <div key={name} className="entry pair">
          <TextInput id={index ? `${id}-${index}` : id} label={`Name ${index + 1} of ${field.title}`} text={name} onText={(text) => text && put(entries.map((old, at) => (at === index ? [text, old[1]] : old)))} />
          <MapValue
            {...props}
            id={`${id}-value-${index}`}
            name={name}
            text={typeof item === "string" ? item : JSON.stringify(item)}
            onText={(text) => put(entries.map((old, at) => (at === index ? [name, text] : old)))}
          />
          <IconButton icon={X} label={`Remove ${name}`} onClick={() => put(entries.filter((_, at) => at !== index))} />
        </div>
      ))}
      <Button icon={Plus} {...(entries.length ? {} : { id })} onClick={() => put([...entries, [fresh(), ""]])}>Add</Button>
    </div>
  );
}

interface ValueProps extends WidgetProps {
  name: string;
  text: string;
  onText: (text: string) => void;
}

function MapValue({ id, field, name, text, owner, describedBy, onText }: ValueProps) {
  const label = `Value of ${name}`;
  const kind = field.inner === "predicate" || field.inner === "expression" ? field.inner : undefined;
  if (!kind) return <TextInput id={id} label={label} text={text} onText={onText} />;
  return (
    <div className="entry-code">
      <CodeInput id={id} label={label} kind={kind} owner={owner} text={text} placeholder="" describedBy={describedBy} invalid={false} onText={onText} />
    </div>
  );
}
