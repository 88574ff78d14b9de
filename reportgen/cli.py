"""The command line: parse, call, print, and nothing else.

Progress and messages go to stderr, the paths written to stdout. Exit codes: 0 done, 1 failed,
2 usage or a bad reportgen.toml, 3 data that do not meet the contract, 4 a gate failed,
5 written but not mailed, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import shlex
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reportgen import __version__
from reportgen.errors import ReportgenError

if TYPE_CHECKING:
    from reportgen.dispatch import Mailing
    from reportgen.log import Log
    from reportgen.pipeline import Outcome, Request

INTERRUPTED = 130

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Commands(click.Group):
    """Turns whatever a command raises into one message and the right exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ReportgenError:
            if ctx.params["debug"]:
                traceback.print_exc()
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted; the last good report stays as it was.", err=True)
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - the last edge: no traceback reaches a user
            if ctx.params["debug"]:
                raise
            raise _unexpected(error) from error


def _unexpected(error: Exception) -> ReportgenError:
    """Say of a failure that nobody foresaw what to do about it."""
    if isinstance(error, ReportgenError):
        return error
    return ReportgenError(
        f"unexpected fault, {type(error).__name__}: {error}\n"
        "No half-done report is published. Run again with `reportgen --debug ...` and report it.")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
def main(debug: bool) -> None:
    r"""Turn a store's monthly customer tables into the report its leadership decides by.

    \b
    reportgen demo --data mystore                     write a demo store
    reportgen run --data mystore                      report on its newest month
    """


def _output_option(command: _Command) -> _Command:
    return click.option(
        "--output", type=click.Path(file_okay=False, path_type=Path), default="output",
        show_default=True, help="Folder to publish in.",
    )(command)


def _data_options(command: _Command) -> _Command:
    """Options of the commands that read a store's tables."""
    for option in (
        click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                     help="reportgen.toml to use instead of the one beside the data."),
        click.option("--month", metavar="YYYY-MM", help="Month to report on, else the newest."),
        click.option("--data", type=click.Path(path_type=Path), default="data", show_default=True,
                     help="A month's folder, or a folder of months."),
    ):
        command = option(command)
    return command


def _render_options(command: _Command) -> _Command:
    """Options of the commands that draw documents."""
    for option in (
        click.option("--templates", help="Folder of templates that override the shipped ones.",
                     type=click.Path(exists=True, file_okay=False, path_type=Path)),
        click.option("--language", "languages", multiple=True, metavar="LANG",
                     help="Language of the documents, repeatable; the store's if absent."),
    ):
        command = option(command)
    return command


_verbose = click.option("-v", "--verbose", is_flag=True, help="Tell how long each stage took.")


def _log_options(command: _Command) -> _Command:
    """Options of the commands whose work is watched."""
    return _verbose(click.option(
        "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="How stages and notices are told on stderr.")(command))


_json_option = click.option("--json", "as_json", is_flag=True,
                            help="Print one JSON object with the outcome instead of the paths.")
_deliver = click.option(
    "--deliver/--dry-run", default=None,
    help="Hand messages over, or write them to files and open no connection; the latter is the "
         "default where CI=true.")


@main.command()
@_data_options
@_output_option
@_render_options
@click.option("--all", "every", is_flag=True,
              help="Report on every month below the data folder, oldest first.")
@click.option("--model", "kept", metavar="YYYY-MM",
              help="Score by the model of an earlier month instead of learning a new one.")
@click.option("--force", is_flag=True, help="Do everything again, though nothing has changed.")
@click.option("--quick", "effort", flag_value="quick",
              help="Check the model on one split only: faster, and marked so on the first page.")
@click.option("--thorough", "effort", flag_value="thorough",
              help="Repeat the nested cross-validation three times.")
@click.option("--send", "mails", is_flag=True,
              help="Mail the newest month as `send` does, and tell the owner if the run fails.")
@_deliver
@_log_options
@_json_option
def run(data: Path, month: str | None, config: Path | None, output: Path,
        languages: tuple[str, ...], templates: Path | None, every: bool, kept: str | None,
        force: bool, effort: Any, mails: bool, deliver: bool | None, verbose: bool,
        log_format: Any, as_json: bool) -> None:
    r"""Analyse a month and write its report.

    \b
    reportgen run --data tables --month 2026-10
    reportgen run --data tables --month 2026-10 --quick
    reportgen run --data tables --all                 every month, as far as it changed
    reportgen run --data tables --all --send          and the newest one by e-mail
    """
    from reportgen import pipeline, workers
    from reportgen.log import Log

    if every and month is not None:
        raise click.UsageError("--all and --month exclude each other")
    if deliver is not None and not mails:
        raise click.UsageError("--deliver and --dry-run go with --send")
    workers.spare_collector()
    log = Log(log_format, verbose)
    request = pipeline.Request(data, output, month, config, effort, languages or None, templates,
                               kept, force, date.today())
    outcomes: list[pipeline.Outcome] = []
    mailing: list[Mailing] = []
    try:
        if mails:
            missed = _run_and_mail(request, every, outcomes, mailing, log, deliver)
        else:
            missed = ()
            _run(request, every, outcomes, log)
        pipeline.hold(tuple(outcomes), missed)
    except Exception as error:
        told = _unexpected(error)
        log.failure(told.format_message(), told.exit_code)
        if as_json:
            _print_json(mailing, told, outcomes)
        raise
    finally:
        if not as_json:
            files = [path for outcome in outcomes for path in outcome.files]
            _print_files((*dict.fromkeys(files), *(path for one in mailing for path in one.files)))
    if as_json:
        _print_json(mailing, None, outcomes)


def _run(request: Request, every: bool, outcomes: list[Outcome], log: Log) -> None:
    """Run one month or all of them; ``outcomes`` grows as they are done."""
    from reportgen import pipeline

    for outcome in (pipeline.run_all(request, log.stage) if every
                    else [pipeline.run(request, log.stage)]):
        outcomes.append(outcome)
        log.done(outcome.report.month, outcome.status)
        for notice in outcome.notices:
            log.notice(outcome.report.month, notice)


def _run_and_mail(request: Request, every: bool, outcomes: list[Outcome], mailing: list[Mailing],
                  log: Log, deliver: bool | None) -> tuple[str, ...]:
    """Run, then mail the newest month; return who did not get what they should have.

    The owner is told of a run that fails; readers never are.
    """
    from reportgen import dispatch
    from reportgen.mailing import Clock, Wish

    settings = dispatch.settings_of(request.data, request.month, request.config)
    wish = Wish(_delivers(deliver), templates=request.templates,
                data_options=_options(data=request.data, config=request.config),
                output_options=_options(output=request.output))
    dispatch.check(settings, wish, request.languages)
    try:
        _run(request, every, outcomes, log)
    except Exception as error:
        told = _unexpected(error).format_message()
        try:
            mailing.append(dispatch.tell_failure(request.output, settings, told, wish, Clock()))
            _tell(mailing[-1], log)
        except ReportgenError as fault:
            log.notice("mail", f"the owner could not be told: {fault.format_message()}")
        raise
    newest = outcomes[-1]
    try:
        with log.stage("send") as progress:
            mailing.append(dispatch.send(request.output, newest.report.month, settings, wish,
                                         clock=Clock(), failures=newest.failures,
                                         told=progress))
    except ReportgenError as error:
        return (error.format_message(),)        # the report stands all the same
    _tell(mailing[-1], log)
    return mailing[-1].missed


@main.command()
@click.option("--month", metavar="YYYY-MM", help="Month to draw; the newest finished if absent.")
@_output_option
@_render_options
@_log_options
def render(month: str | None, output: Path, languages: tuple[str, ...],
           templates: Path | None, verbose: bool, log_format: Any) -> None:
    r"""Draw a finished report again, without running the analysis.

    \b
    reportgen render --month 2026-10 --language en
    """
    from reportgen import pipeline, workers
    from reportgen.log import Log

    workers.spare_collector()
    outcome = pipeline.render(output, month, languages=languages or None, templates=templates,
                              stage=Log(log_format, verbose).stage)
    _print_files(outcome.files)


@main.command()
@_data_options
@_output_option
@click.option("--templates", help="Folder of templates that override the shipped ones.",
              type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "previews", multiple=True, metavar="ADDRESS",
              help="Send a preview to this address, or with --resend its copy, and nothing to "
                   "anybody else; repeatable.")
@click.option("--language", default="", metavar="LANG", help="Language of the previews.")
@click.option("--resend", is_flag=True,
              help="Send again what may have been lost, and a report that has changed since.")
@click.option("--force", is_flag=True, help="Send to readers although a gate is closed.")
@click.option("--outcome", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="What `run --json` printed: its newest month is mailed, its failure told to the "
                   "owner.")
@_deliver
@_log_options
@_json_option
def send(data: Path, month: str | None, config: Path | None, output: Path,
         templates: Path | None, previews: tuple[str, ...], language: str, resend: bool,
         force: bool, outcome: Path | None, deliver: bool | None, verbose: bool, log_format: Any,
         as_json: bool) -> None:
    r"""Mail a finished month to those named in reportgen.toml.

    \b
    reportgen send --month 2026-10 --dry-run          look at the messages first
    reportgen send --month 2026-10 --to me@example.org
    reportgen send --month 2026-10
    """
    from reportgen import dispatch
    from reportgen.log import Log
    from reportgen.mailing import Clock, Wish

    if outcome is not None and (month or previews):
        raise click.UsageError("--outcome excludes --month and --to")
    if language and not previews:
        raise click.UsageError("--language goes with --to; readers' languages stand in "
                               "reportgen.toml")
    log = Log(log_format, verbose)
    mailing: list[Mailing] = []
    try:
        wish = Wish(_delivers(deliver), resend, force, dispatch.addresses_of(previews), language,
                    templates, _options(data=data, config=config), _options(output=output))
        settings = dispatch.settings_of(data, month, config)
        with log.stage("send") as progress:
            mailing.append(
                dispatch.send_after(output, outcome, settings, wish, clock=Clock(), told=progress)
                if outcome else
                dispatch.send(output, month, settings, wish, clock=Clock(), today=date.today(),
                              told=progress))
        _tell(mailing[-1], log)
        dispatch.hold(mailing[-1])
    except ReportgenError as error:
        log.failure(error.format_message(), error.exit_code)
        if as_json:
            _print_json(mailing, error)
        raise
    finally:
        if not as_json:
            _print_files(tuple(path for one in mailing for path in one.files))
    if as_json:
        _print_json(mailing)


@main.command()
@click.option("--month", metavar="YYYY-MM", help="Month to approve; the newest finished if absent.")
@click.option("--by", default="", metavar="NAME",
              help="Who approves; whoever is logged in if absent.")
@_output_option
def approve(month: str | None, by: str, output: Path) -> None:
    r"""Let leadership's copies of a month be sent, for its report as it is now.

    \b
    reportgen approve --month 2026-10 && reportgen send --month 2026-10
    """
    import getpass

    from reportgen import dispatch
    from reportgen.mailing import Clock

    try:
        name = by or getpass.getuser()
    except (KeyError, OSError):         # a container knows no names
        raise click.UsageError("nobody is logged in here; name who approves by --by") from None
    approved = dispatch.approve(output, month, name, Clock())
    click.echo(f"{approved} is approved; send it by: reportgen send --month {approved}"
               f"{_options(output=output)}", err=True)


@main.command()
@_data_options
@_log_options
def check(data: Path, month: str | None, config: Path | None, verbose: bool,
          log_format: Any) -> None:
    r"""Hold a month's tables against the contract, and do nothing else.

    \b
    reportgen check --data tables --month 2026-10
    """
    from reportgen import pipeline
    from reportgen.log import Log

    request = pipeline.Request(data, Path(), month, config)
    quality = pipeline.check(request, Log(log_format, verbose).stage)
    click.echo(f"The data meet the contract: {quality.customers_used} of {quality.customers_in} "
               f"customers can be used, {quality.rows_changed} of {quality.rows_in} rows repaired.")
    for exclusion in quality.exclusions:
        click.echo(f"  left out, {exclusion.reason.replace('_', ' ')}: {exclusion.customers}")
    for entry in quality.log:
        change = f" «{entry.before}» -> «{entry.after}»" if entry.before else ""
        click.echo(f"  {entry.code.replace('_', ' ')}{change}, {entry.table} {entry.column}: "
                   f"{entry.rows} rows")


@main.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default="data",
              show_default=True, help="Folder to write the store into.")
@click.option("--world", default="linear", show_default=True, help="What goes with a decline.")
@click.option("--customers", type=click.IntRange(min=200), default=1_300, show_default=True,
              help="Customers of the first month.")
@click.option("--months", type=click.IntRange(1, 120), default=3, show_default=True,
              help="Months to write.")
@click.option("--seed", type=click.IntRange(min=0), default=20, show_default=True,
              help="The same seed gives the same files.")
@click.option("--action", metavar="helps|nothing|harms",
              help="What the actions of the lists do to those who were to get them.")
@_output_option
def demo(data: Path, world: str, customers: int, months: int, seed: int, action: str | None,
         output: Path) -> None:
    r"""Write the tables of a made-up store whose truth is known.

    \b
    reportgen demo --data mystore --months 6
    reportgen demo --data mystore --months 4 --action helps     after a run of month 3
    """
    from reportgen import pipeline

    _print_files(pipeline.write_demo(data, world=world, customers=customers, months=months,
                                     seed=seed, action=action, output=output))


@main.command()
def doctor() -> None:
    """Tell whether everything this machine needs is there, and what to type where it is not."""
    from reportgen import doctor as examination

    findings = examination.examine()
    for finding in findings:
        click.echo(f"{'ok     ' if finding.fine else 'MISSING'}  {finding.name}: {finding.told}")
        for remedy in finding.remedies:
            click.echo(f"           {remedy}")
    if not all(finding.fine for finding in findings):
        raise ReportgenError("something is missing; see above")


def _print_files(paths: tuple[Path, ...]) -> None:
    for path in paths:
        click.echo(path)


def _options(**given: Path | None) -> str:
    """Write options again for a command that is told to a person; defaults are left out."""
    defaults = {"data": Path("data"), "output": Path("output")}
    return "".join(f" --{name} {shlex.quote(str(value))}" for name, value in given.items()
                   if value is not None and value != defaults.get(name))


def _delivers(asked: bool | None) -> bool:
    """Whether messages leave; in a CI job only where it was asked for."""
    in_ci = os.environ.get("CI", "").strip().lower() in ("true", "1")
    return not in_ci if asked is None else asked


def _tell(mailing: Mailing, log: Log) -> None:
    for notice in mailing.notices:
        log.notice(mailing.month or "mail", notice)


def _print_json(mailing: Sequence[Mailing], error: ReportgenError | None = None,
                outcomes: Sequence[Outcome] = ()) -> None:
    """Print for scripts what became of each month and of each message, and the error if any."""
    click.echo(json.dumps({
        "exit_code": error.exit_code if error else 0,
        "months": [{
            "month": outcome.report.month,
            "status": outcome.status,
            "files": [str(path) for path in outcome.files],
            "gates": [asdict(check) for check in outcome.report.checks],
            "failures": outcome.failures,
            "notices": outcome.notices,
        } for outcome in outcomes],
        "mail": [{
            "month": one.month,
            "kind": delivery.kind,
            "address": delivery.address,
            "fate": delivery.fate,
            "told": delivery.told,
        } for one in mailing for delivery in one.deliveries],
        "error": {"message": error.format_message()} if error else None,
    }, indent=1))       # ASCII, whatever the encoding of the place it is written to
