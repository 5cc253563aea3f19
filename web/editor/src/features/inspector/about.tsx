import { ExternalLink } from "lucide-react";
import { address } from "../../api/client";
import { Prose } from "../../ui/prose";
import { useCatalogue } from "../../state/catalogue-store";

export function About({ type }: { type: string }) {
  const about = useCatalogue((state) => state.processors[type]);
  if (!about) return <p className="muted">The type {type} is not installed here.</p>;
  return (
    <div className="form about">
      <p><Prose text={about.description} /></p>
      <p>{about.tags.map((tag) => <span key={tag} className="tag">{tag}</span>)}</p>
      <h3>Relationships</h3>
      <dl>{about.relationships.map((one) => <div key={one.name}><dt>{one.name}</dt><dd><Prose text={one.description} /></dd></div>)}</dl>
      <Names title="Reads attributes" names={about.reads} />
      <Names title="Writes attributes" names={about.writes} />
      <p>
        <a href={address(`docs/processors/${type}`)} target="_blank" rel="noreferrer">
          Reference page <ExternalLink size={12} aria-hidden />
        </a>
      </p>
    </div>
  );
}

function Names({ title, names }: { title: string; names: Record<string, string> }) {
  if (!Object.keys(names).length) return null;
  return (
    <>
      <h3>{title}</h3>
      <dl>{Object.entries(names).map(([name, text]) => <div key={name}><dt><code>{name}</code></dt><dd><Prose text={text} /></dd></div>)}</dl>
    </>
  );
}
