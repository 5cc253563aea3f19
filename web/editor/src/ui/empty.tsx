import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

/** What to do where nothing is yet. */
export function Empty({ icon: Icon, title, children }: { icon: LucideIcon; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon size={28} aria-hidden />
      <h3>{title}</h3>
      {children && <p>{children}</p>}
    </div>
  );
}
