"""The section [mail] of reportgen.toml: what it takes, and what it refuses with the place."""

from __future__ import annotations

import pytest

from reportgen import config
from reportgen.config import Settings
from reportgen.errors import ConfigError

SENDER = 'sender = { address = "reports@shop.example.org" }'


def settings(text: str) -> Settings:
    return config.parse(f"[mail]\n{text}")


def test_without_the_section_nobody_is_mailed() -> None:
    mail = config.load(None).mail
    assert (mail.sender, mail.owner, mail.recipients, mail.server) == (None, None, (), None)


def test_domain_of_another_script_becomes_what_servers_understand() -> None:
    mail = settings('recipients = [{ address = "ann@магазин.рф", name = " Анна " }]').mail
    assert mail.recipients[0].address == "ann@xn--80aairftm.xn--p1ai"
    assert mail.recipients[0].name == "Анна"


@pytest.mark.parametrize("address", [
    "ann@company.local", "ann@mail.test", "root@localhost", "a.b+c@example.org"])
def test_address_inside_a_company_is_one(address: str) -> None:
    mail = settings(f'recipients = [{{ address = "{address}" }}]').mail
    assert mail.recipients[0].address == address


@pytest.mark.parametrize("address", [
    "ann", "ann@", "@example.org", "ann@@example.org", "a b@example.org", "ann@exa mple.org", "",
    "Ann <ann@example.org>", "ann@example.org, bob@example.org", "анна@example.org",
    "ann@example.org\\nBcc: all@example.org", "ann@example.org\\r\\nBcc: all@example.org",
    "ann\\u0000@example.org", "ann@-example.org", "=?utf-8?q?x?=@example.org",
])
def test_what_is_no_address_is_refused_with_its_key(address: str) -> None:
    with pytest.raises(ConfigError, match=r"mail\.recipients\.0\.address: .*name@example\.org"):
        settings(f'recipients = [{{ address = "{address}" }}]')


@pytest.mark.parametrize("sign", ["\\n", "\\r", "\\u0000", "\\u2028", "\\u202e"])
def test_name_that_would_begin_another_header_is_refused(sign: str) -> None:
    with pytest.raises(ConfigError, match=r"mail\.sender\.name: .*control character U\+"):
        settings(f'sender = {{ address = "a@example.org", name = "x{sign}Bcc: b@example.org" }}')


def test_name_that_hides_something_in_an_encoded_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="as they are"):
        settings('sender = { address = "a@b.org", name = "=?utf-8?q?A=0D=0ABcc=3A_x=40y=2Eorg?=" }')


def test_reader_named_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Ann@example\.org is named twice"):
        settings('recipients = [{ address = "ann@example.org" }, { address = "Ann@example.org" }]')


@pytest.mark.parametrize(("encryption", "port"), [("tls", 465), ("starttls", 587), ("none", 25)])
def test_port_follows_the_encryption(encryption: str, port: int) -> None:
    server = settings(f'[mail.server]\nhost = "localhost"\nencryption = "{encryption}"').mail.server
    assert server.connects_to == port


def test_encryption_is_on_unless_the_server_is_this_machine() -> None:
    assert settings('[mail.server]\nhost = "smtp.example.org"').mail.server.encryption == "tls"
    for host in ("localhost", "127.0.0.1", "127.8.9.1", "::1"):
        assert settings(f'[mail.server]\nhost = "{host}"\nencryption = "none"').mail.server
    for host in ("smtp.example.org", "10.0.0.5", "localhost.example.org", "128.0.0.1"):
        with pytest.raises(ConfigError, match="for a server on this machine"):
            settings(f'[mail.server]\nhost = "{host}"\nencryption = "none"')


@pytest.mark.parametrize("key", ["user", "password", "login"])
def test_secrets_may_not_stand_in_the_file(key: str) -> None:
    with pytest.raises(ConfigError, match=rf"mail\.server\.{key}.*REPORTGEN_SMTP_USER") as caught:
        settings(f'[mail.server]\nhost = "smtp.example.org"\n{key} = "geheim"')
    assert "geheim" not in caught.value.format_message()


def test_folder_of_messages_must_be_named() -> None:
    with pytest.raises(ConfigError, match="needs `folder`"):
        settings('transport = "folder"')


def test_paths_begin_where_the_settings_stand(tmp_path) -> None:
    mail = settings('transport = "folder"\nfolder = "pickup"\n[mail.server]\nhost = "localhost"\n'
                    'certificates = "ca.pem"').mail.beside(tmp_path / "reportgen.toml")
    assert (mail.folder, mail.server.certificates) == (tmp_path / "pickup", tmp_path / "ca.pem")


def test_who_is_told_is_no_part_of_what_the_figures_are_made_of() -> None:
    other = settings(f'{SENDER}\n[gates]\ndata_age = 90')
    assert other.of_figures() == config.load(None).of_figures()
    assert config.parse("[gates]\ndrift = 0.3").of_figures() != other.of_figures()
