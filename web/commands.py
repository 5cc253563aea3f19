"""``flowengine serve``; ``flowengine server`` is in ``web.remote``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from web.remote import server_app

__all__ = ["serve_app", "server_app"]

serve_app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


@serve_app.command(epilog="Example: flowengine serve --flows flows --port 8700")
def serve(
    flows: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of flow files.", show_default=True)
    ] = Path("flows"),
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with one data directory per flow; .flowengine."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8700,
    root_path: Annotated[
        str, typer.Option(metavar="PATH", help="Path that a proxy shows the server under.")
    ] = "",
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Host name that requests may be for; repeatable."),
    ] = None,
    tls_certificate: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM.")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy in front does TLS.")
    ] = False,
    keep_flows: Annotated[
        bool, typer.Option("--keep-flows", help="Leave flows running when the server ends.")
    ] = False,
) -> None:
    """Serve the editor and the REST API.

    Each started flow runs in a process of its own. The printed address holds a token that is
    needed once. Ctrl-C, or SIGTERM, stops all flows; those that ran are started again by the next
    server. Scripts set FLOWENGINE_SERVER_TOKEN.
    """
    from flowengine.config import read_settings
    from web.config import ServerConfig, token_from_environment
    from web.serving import serve as run

    settings = read_settings({"data_root": str(data_dir)} if data_dir else None)
    root, key_file = settings.data_root, settings["secret_key_file"]
    run(
        ServerConfig(
            flows=flows.absolute(),
            data_root=root.absolute(),
            host=host,
            port=port,
            root_path=root_path,
            names=tuple(name or ()),
            certificate=tls_certificate,
            key=tls_key,
            behind_proxy=behind_proxy,
            keep_flows=keep_flows,
            token=token_from_environment(),
            secret_store=settings.secret_store.absolute(),
            secret_key_file=(settings.project / key_file).absolute() if key_file else None,
        )
    )
