import { useDocument } from "../../state/document-store";
import { useUi } from "../../state/ui-store";
import { CommandPalette } from "../commands/command-palette";
import { ShortcutsDialog } from "../commands/shortcuts-dialog";
import { ConnectDialog } from "../connect/connect-dialog";
import { ConflictDialog } from "../deploy/conflict-dialog";
import { DeployDialog } from "../deploy/deploy-dialog";
import { QueueDialog } from "../queue/queue-dialog";
import { ConfirmDialog } from "./confirm-dialog";
import { ParametersDialog } from "./parameters-dialog";
import { ServicesDialog } from "./services-dialog";
import { StateDialog } from "./state-dialog";

export function Dialogs() {
  const { connection, chooser, dialog } = useUi();
  const conflicts = useDocument((state) => state.conflicts.length);
  if (conflicts) return <ConflictDialog />;
  if (connection) return <ConnectDialog key={`${connection.source} ${connection.target}`} pending={connection} />;
  if (chooser) return <CommandPalette chooser={chooser} />;
  switch (dialog?.kind) {
    case "commands":
      return <CommandPalette />;
    case "shortcuts":
      return <ShortcutsDialog />;
    case "deploy":
      return <DeployDialog />;
    case "queue":
      return <QueueDialog connection={dialog.connection} />;
    case "services":
      return <ServicesDialog />;
    case "parameters":
      return <ParametersDialog />;
    case "state":
      return <StateDialog processor={dialog.processor} />;
    case "confirm":
      return <ConfirmDialog asked={dialog} />;
    default:
      return null;
  }
}
