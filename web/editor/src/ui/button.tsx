import type { LucideIcon } from "lucide-react";
import type { ButtonHTMLAttributes } from "react";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon?: LucideIcon;
  tone?: "plain" | "primary" | "danger" | "quiet";
}

export function Button({ icon: Icon, tone = "plain", className = "", children, ...rest }: Props) {
  return (
    <button type="button" className={`button ${tone} ${className}`} {...rest}>
      {Icon && <Icon size={15} aria-hidden />}
      {children}
    </button>
  );
}

interface IconProps extends Omit<Props, "children"> {
  icon: LucideIcon;
  label: string;
  shortcut?: string;
}

/** A button with an icon alone has its name as label and tooltip. */
export function IconButton({ icon: Icon, label, shortcut, className = "", tone = "quiet", ...rest }: IconProps) {
  const title = shortcut ? `${label} (${shortcut})` : label;
  return (
    <button type="button" className={`icon-button ${tone} ${className}`} aria-label={label} title={title} {...rest}>
      <Icon size={16} aria-hidden />
    </button>
  );
}
