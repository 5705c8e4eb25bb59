"""The archivists' page as archivists meet it: handing in, following, opening, correcting, describing, erasing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.readers import MANY
from tests.browser.test_page import _WEAK_TEXTS as WEAK_TEXTS
from tests.worlds import ROOT, child_environment, instance_file

pytestmark = pytest.mark.browser

GUIDE = "guide-agent-2024.pdf"
SETTLED_MS = 90_000


@pytest.fixture
def api(service: Any) -> Iterator[httpx.Client]:
    """The service's interface; what a test hands in is removed at its end."""
    headers = {"Authorization": f"Bearer {service.token}"}
    # A connection kept over a long wait for the page may be closed by the service at the very moment it is used again.
    fresh = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(
        base_url=f"{service.url}/v1", headers=headers, trust_env=False, timeout=60, limits=fresh
    ) as client:
        before = {status["document_id"] for status in client.get("/documents").json()["documents"]}
        yield client
        for status in client.get("/documents").json()["documents"]:
            if status["document_id"] not in before:
                settled(client, status["document_id"])
                client.delete(f"/documents/{status['document_id']}/hold")
                client.delete(f"/documents/{status['document_id']}")


def settled(api: httpx.Client, document_id: str) -> dict[str, Any]:
    """The document's status once nothing more happens by itself."""
    for _ in range(900):
        status: dict[str, Any] = api.get(f"/documents/{document_id}").json()
        if status["state"] not in ("received", "in progress"):
            return status
        subprocess.run(["sleep", "0.1"], check=True)
    raise AssertionError(f"{status['file_name']} is still {status['state']}")


def handed_in(api: httpx.Client, name: str, content: bytes, label: str = "public") -> dict[str, Any]:
    reply = api.post("/documents", files={"files": (name, content)}, data={"label": label}).json()
    return settled(api, reply["documents"][0]["document_id"])


def library(visit: Callable[..., Any], language: str = "fr", **look: Any) -> Page:
    visitor = visit(language, **look)
    visitor.page.locator(".nav-link").nth(1).click()
    visitor.page.wait_for_selector(".documents")
    page: Page = visitor.page
    return page


def dossier(page: Page, service: Any, document_id: str) -> Page:
    page.goto(f"{service.url}/library#document={document_id}")
    page.wait_for_selector(".dossier:has(.dossier-facts) [role=tab]")
    return page


def known(api: httpx.Client, file_name: str) -> dict[str, Any]:
    documents = api.get("/documents").json()["documents"]
    found: dict[str, Any] = next(status for status in documents if status["file_name"] == file_name)
    return found


def pdf(*pages: str, password: str | None = None) -> bytes:
    """A PDF with one line of text on each page."""
    import io

    from reportlab.pdfgen import canvas

    target = io.BytesIO()
    drawing = canvas.Canvas(target, encrypt=password)
    for text in pages:
        drawing.drawString(72, 700, text)
        drawing.showPage()
    drawing.save()
    return target.getvalue()


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Drops files on the page as a mouse would."""
    contents = [[name, list(content)] for name, content in files.items()]
    transfer = page.evaluate_handle(
        """(files) => {
            const transfer = new DataTransfer();
            for (const [name, bytes] of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
            return transfer;
        }""",
        contents,
    )
    page.dispatch_event(".drop", "dragover", {"dataTransfer": transfer})
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})


def added(page: Page, name: str) -> Any:
    return page.locator(".added-line", has_text=name)


def test_files_that_are_dropped_each_come_to_a_state_of_their_own(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = library(visit)
    drop(page, {
        "bon.txt": "Les bouées du chenal sont relevées au mois de novembre.\n".encode(),
        "vide.pdf": b"",
        "ferme.pdf": pdf("Registre des mouillages", password="sesame"),
    })  # fmt: skip
    expect(added(page, "bon.txt").locator(".state.done")).to_be_visible(timeout=SETTLED_MS)
    expect(added(page, "vide.pdf").locator(".state.rejected")).to_be_visible(timeout=SETTLED_MS)
    expect(added(page, "vide.pdf")).to_contain_text("Le fichier est vide.")
    expect(added(page, "ferme.pdf").locator(".state.quarantined")).to_be_visible(timeout=SETTLED_MS)
    expect(added(page, "ferme.pdf")).to_contain_text("protégé par un mot de passe")


def test_chosen_file_gets_the_chosen_marking_and_appears_in_the_list(
    visit: Callable[..., Any], api: httpx.Client, tmp_path: Path
) -> None:
    note = tmp_path / "note-barques.txt"
    note.write_text("Note de service. Les barques municipales sont repeintes chaque année au mois d'avril.\n")
    page = library(visit)
    page.select_option("#upload-label", "public")
    page.set_input_files("#files", note)
    expect(added(page, note.name).locator(".state.done")).to_have_text("Prêt", timeout=SETTLED_MS)
    expect(page.locator(".documents tbody")).to_contain_text(note.name)
    assert known(api, note.name)["label"] == "public"


def test_folder_keeps_its_paths_and_its_sidecars_and_progress_is_seen(
    visit: Callable[..., Any], api: httpx.Client, tmp_path: Path
) -> None:
    folder = tmp_path / "fonds" / "1998"
    folder.mkdir(parents=True)
    for number in range(6):
        (folder / f"lettre-{number}.txt").write_text(f"Lettre numéro {number} du maire au capitaine du port.\n")
    (folder / "lettre-0.txt.toml").write_text('title = "Lettre au capitaine"\nlabel = "restricted"\n')
    page = library(visit)
    page.set_input_files("#folder", tmp_path / "fonds")
    expect(page.locator(".activity-bar")).to_contain_text("Lecture en cours")
    expect(page.locator(".added-line .state.done")).to_have_count(6, timeout=SETTLED_MS)
    expect(page.locator(".activity-bar")).to_be_hidden(timeout=SETTLED_MS)
    letter = known(api, "lettre-0.txt")
    assert letter["source"].endswith("1998/lettre-0.txt")
    assert (letter["title"], letter["label"]) == ("Lettre au capitaine", "restricted")


def test_same_bytes_again_change_nothing_and_the_page_says_so(visit: Callable[..., Any], api: httpx.Client) -> None:
    text = "Le treuil de la cale est vérifié deux fois par an.\n".encode()
    handed_in(api, "treuil.txt", text)
    page = library(visit)
    drop(page, {"treuil.txt": text})
    expect(added(page, "treuil.txt")).to_contain_text("Déjà présent")


def test_file_that_is_refused_takes_no_other_with_it(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = library(visit)

    def refuse(route: Route) -> None:
        if b"mauvais.txt" in (route.request.post_data_buffer or b""):
            route.fulfill(
                status=422, body=json.dumps({"error": {"type": "invalid", "message": "mauvais.txt: refused"}})
            )
        else:
            route.continue_()

    page.route("**/v1/documents", refuse)
    drop(page, {f"{name}.txt": f"Le quai {name} est fermé la nuit.\n".encode() for name in ("un", "mauvais", "deux")})
    expect(added(page, "mauvais.txt").locator(".field-error")).to_be_visible()
    expect(added(page, "mauvais.txt").locator(".recorded")).to_contain_text("refused")
    for name in ("un.txt", "deux.txt"):
        expect(added(page, name).locator(".state.done")).to_be_visible(timeout=SETTLED_MS)
    page.unroute("**/v1/documents")
    page.get_by_role("button", name="Renvoyer").click()
    expect(added(page, "mauvais.txt").locator(".state.done")).to_be_visible(timeout=SETTLED_MS)


def test_sending_goes_on_when_the_connection_comes_back(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = library(visit)
    page.route("**/v1/documents", lambda route: route.abort(), times=1)
    drop(page, {"phare.txt": "Le phare est allumé une heure avant le coucher du soleil.\n".encode()})
    expect(added(page, "phare.txt").locator(".state.done")).to_be_visible(timeout=SETTLED_MS)


def test_states_reasons_and_words_filter_the_list(visit: Callable[..., Any], api: httpx.Client) -> None:
    handed_in(api, "neant.pdf", b"")
    page = library(visit)
    rejected = api.get("/documents", params={"state": "rejected"}).json()
    chip = page.locator(".chip.rejected")
    expect(chip.locator(".chip-count")).to_have_text(str(rejected["counts"]["rejected"]))
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".documents tbody tr")).to_have_count(rejected["total"])
    expect(page.locator(".documents tbody .state.rejected")).to_have_count(rejected["total"])
    page.locator(".chip.all").click()
    page.locator(".more").click()
    page.select_option("#filter-category", "empty_file")
    expect(page.locator(".documents tbody")).to_contain_text("neant.pdf")
    page.get_by_role("button", name="Effacer les critères").click()
    page.fill("#filter", "teletravail 2021")
    expect(page.locator(".documents tbody tr")).to_have_count(1)


def test_formats_and_markings_filter_by_what_people_call_them(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = library(visit)
    page.locator(".more").click()
    names = [status["file_name"] for status in api.get("/documents").json()["documents"]]
    page.select_option("#filter-media_type", label="Word")
    expect(page.locator(".documents tbody tr")).to_have_count(sum(name.endswith(".docx") for name in names))
    page.select_option("#filter-media_type", "")
    page.select_option("#filter-label", "restricted")
    expect(page.locator(".documents tbody tr")).to_have_count(
        sum(status["label"].startswith("restricted") for status in api.get("/documents").json()["documents"])
    )


def test_document_opens_beside_its_text_page_by_page(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = library(visit)
    page.get_by_role("button", name=re.compile("Guide de l'agent")).click()
    page.wait_for_selector(".sheet.ready")
    image, text = page.locator(".stage").bounding_box(), page.locator(".text-page").bounding_box()
    assert image["x"] + image["width"] <= text["x"]
    stored = api.get(f"/documents/{known(api, GUIDE)['document_id']}/pages/2").json()
    page.get_by_role("button", name="Page suivante").click()
    page.wait_for_selector('.sheet.ready[data-page="2"]')
    expect(page.locator(".text-page")).to_contain_text(stored["text"].split("\n")[-2].strip())
    page.go_back()
    expect(page.locator("h1")).to_have_text("Documents chargés")


def test_scan_says_how_certain_its_words_are(visit: Callable[..., Any], api: httpx.Client, service: Any) -> None:
    scans = [s for s in api.get("/documents").json()["documents"] if s["file_name"].startswith("note-1996")]
    sheet = api.get(f"/documents/{scans[0]['document_id']}/pages/1")
    if sheet.status_code != 200 or sheet.json()["origin"] != "ocr":
        pytest.skip("this instance reads no scans")
    page = dossier(visit("fr").page, service, scans[0]["document_id"])
    expect(page.locator(".origin")).to_contain_text(re.compile(r"confiance.*\d+.%"))
    expect(page.locator("meter")).to_be_visible()


def test_corrected_page_is_found_by_its_new_word(visit: Callable[..., Any], api: httpx.Client, service: Any) -> None:
    status = handed_in(api, "registre.pdf", pdf("Le gardien du phare habite la maison blanche.", "Fin du registre."))
    visitor = visit("fr")
    page = dossier(visitor.page, service, status["document_id"])
    page.wait_for_selector(".sheet.ready")
    page.click("#correct")
    page.fill("#page-text", "Le gardien du phare Zyzomys habite la maison blanche depuis 1911.")
    page.click("#save-text")
    expect(page.locator(".sheet-head .origin")).to_contain_text(
        re.compile("indexée de nouveau|corrigé par un archiviste")
    )
    expect(page.locator(".origin")).to_contain_text("corrigé par un archiviste", timeout=SETTLED_MS)
    expect(page.locator(".text-page")).to_contain_text("Zyzomys")
    page.click(".nav-link >> nth=0")
    visitor.ask("Où habite le gardien du phare Zyzomys ?")
    expect(page.locator("blockquote").first).to_contain_text("Zyzomys")


def test_unsaved_correction_is_not_thrown_away_unasked(
    visit: Callable[..., Any], api: httpx.Client, service: Any
) -> None:
    page = dossier(visit("fr").page, service, known(api, GUIDE)["document_id"])
    page.wait_for_selector(".sheet.ready")
    page.click("#correct")
    page.fill("#page-text", "Autre chose")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click(".back-link")
    assert asked
    expect(page.locator("#page-text")).to_have_value("Autre chose")


def test_password_opens_a_locked_file_and_stays_nowhere(
    visit: Callable[..., Any], api: httpx.Client, service: Any
) -> None:
    locked = pdf("Le coffre contient douze registres de mouillage.", password="sesame-7413")
    status = handed_in(api, "coffre.pdf", locked)
    page = dossier(visit("fr").page, service, status["document_id"])
    expect(page.locator(".trouble h2")).to_have_text("Il est protégé par un mot de passe.")
    expect(page.locator("#password")).to_have_attribute("type", "password")
    page.fill("#password", "faux-7413")
    page.keyboard.press("Enter")
    expect(page.locator(".trouble h2")).to_have_text(
        "Le mot de passe donné n’ouvre pas ce fichier.", timeout=SETTLED_MS
    )
    page.fill("#password", "sesame-7413")
    page.keyboard.press("Enter")
    expect(page.locator(".dossier-facts .state")).to_have_text("Prêt", timeout=SETTLED_MS)
    kept = page.evaluate("document.documentElement.outerHTML + JSON.stringify([localStorage, sessionStorage])")
    assert "7413" not in kept


def test_description_and_marking_are_edited(visit: Callable[..., Any], api: httpx.Client, service: Any) -> None:
    status = handed_in(api, "pontons.txt", "Les pontons du port sont contrôlés tous les deux ans.\n".encode())
    page = dossier(visit("fr").page, service, status["document_id"])
    page.click("#tab-describe")
    page.fill("#edit-title", "Contrôle des pontons")
    page.fill("#edit-author", "Capitainerie")
    page.fill("#edit-collection", "Port")
    page.fill("#edit-date", "2024-05-31")
    page.select_option("#edit-label", "restricted")
    page.click("#save-description")
    expect(page.locator(".done-note")).to_have_text("La description est enregistrée.")
    after = settled(api, status["document_id"])
    assert [after[name] for name in ("title", "author", "collection", "date", "label")] == [
        "Contrôle des pontons", "Capitainerie", "Port", "2024-05-31", "restricted",
    ]  # fmt: skip
    expect(page.locator("h1")).to_have_text("Contrôle des pontons")
    page.click("#tab-story")
    expect(page.locator(".events")).to_contain_text(re.compile("Description modifiée par local.*Public → Restreint"))


def test_legal_hold_bars_erasing_until_it_is_lifted(visit: Callable[..., Any], api: httpx.Client, service: Any) -> None:
    status = handed_in(api, "litige.txt", "Le différend porte sur le bornage du quai.\n".encode())
    page = dossier(visit("fr").page, service, status["document_id"])
    page.click("#tab-keeping")
    page.fill("#hold-reason", "Affaire 24-117")
    page.keyboard.press("Enter")
    expect(page.locator(".dossier-top .boxed")).to_contain_text("Affaire 24-117")
    expect(page.locator("#erase")).to_have_attribute("aria-disabled", "true")
    assert api.delete(f"/documents/{status['document_id']}").status_code == 409
    page.click("#release")
    expect(page.locator(".dossier-top .boxed")).to_have_count(0)
    expect(page.locator("#erase")).not_to_have_attribute("aria-disabled", "true")


def test_erasing_says_what_goes_and_hands_out_the_receipt(
    visit: Callable[..., Any], api: httpx.Client, service: Any
) -> None:
    status = handed_in(api, "adieu.pdf", pdf("Les anciens tarifs du bac ne valent plus.", "Deuxième page."))
    page = dossier(visit("fr").page, service, status["document_id"])
    page.click("#tab-keeping")
    page.click("#erase")
    dialog = page.get_by_role("dialog")
    for part in ("adieu.pdf", "2 pages", "passage", "description", "ne peut pas être annulée"):
        expect(dialog).to_contain_text(part)
    for never_stored in ("image", "réponses"):
        expect(dialog).not_to_contain_text(never_stored)
    expect(dialog.get_by_role("button", name="Annuler")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("#erase")).to_be_focused()
    assert api.get(f"/documents/{status['document_id']}").status_code == 200
    page.click("#erase")
    page.click("#erase-now")
    with page.expect_download() as download:
        page.get_by_role("link", name="Télécharger le récépissé").click()
    receipt = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert receipt["document_id"] == status["document_id"]
    assert api.post("/receipts/verify", json=receipt).json()["valid"]
    page.get_by_role("button", name="Revenir à la liste").click()
    expect(page.locator("h1")).to_have_text("Documents chargés")
    assert api.get(f"/documents/{status['document_id']}").status_code == 404


def test_whole_way_works_with_the_keyboard_alone(visit: Callable[..., Any], api: httpx.Client) -> None:
    page = library(visit)
    page.locator("h1").focus()
    order = []
    for _ in range(14):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    wanted = ["files", "folder", "upload-label", "chip all", "chip received", "chip done", "filter"]
    places = [next(n for n, name in enumerate(order) if name.startswith(each)) for each in wanted]
    assert places == sorted(places)
    page.focus("#filter")
    page.keyboard.type("guide-agent")
    expect(page.locator(".documents tbody tr")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(".title-button")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("Enter")
    page.wait_for_selector(".sheet.ready")
    page.focus("#tab-sheets")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-describe")).to_be_focused()
    expect(page.locator("#tab-describe")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("End")
    expect(page.locator("#tab-keeping")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".title-button")).to_be_focused()


def test_arabic_is_mirrored(visit: Callable[..., Any], api: httpx.Client, service: Any) -> None:
    page = library(visit, "ar")
    first, last = page.locator(".chip").first.bounding_box(), page.locator(".chip").last.bounding_box()
    assert first["x"] > last["x"]
    dossier(page, service, known(api, GUIDE)["document_id"])
    page.wait_for_selector(".sheet.ready")
    assert page.locator(".stage").bounding_box()["x"] > page.locator(".text-page").bounding_box()["x"]
    page.focus("#tab-sheets")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#tab-describe")).to_be_focused()


@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("width", [320, 390, 768])
def test_no_width_scrolls_sideways(
    visit: Callable[..., Any], api: httpx.Client, service: Any, width: int, language: str
) -> None:
    page = library(visit, language, width=width, height=800)
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    page.locator(".more").click()
    assert page.evaluate(fits)
    dossier(page, service, known(api, GUIDE)["document_id"])
    for tab in ("sheets", "describe", "story", "keeping"):
        page.click(f"#tab-{tab}")
        assert page.evaluate(fits), tab


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_enough_contrast(visit: Callable[..., Any], api: httpx.Client, service: Any, dark: bool) -> None:
    trouble = handed_in(api, "creux.pdf", b"")
    page = library(visit, dark=dark)
    assert page.evaluate(WEAK_TEXTS) == []
    for document_id in (known(api, GUIDE)["document_id"], trouble["document_id"]):
        dossier(page, service, document_id)
        for tab in page.locator("[role=tab]").all():
            tab.click()
            assert page.evaluate(WEAK_TEXTS) == []


def test_nothing_is_refused_and_nothing_asked_of_another_origin(visit: Callable[..., Any], api: httpx.Client) -> None:
    visitor = visit("fr")
    page = visitor.page
    page.locator(".nav-link").nth(1).click()
    page.wait_for_selector(".documents")
    page.get_by_role("button", name=re.compile("Guide de l'agent")).click()
    page.wait_for_selector(".sheet.ready")
    for tab in page.locator("[role=tab]").all():
        tab.click()
    page.wait_for_load_state("networkidle")
    assert (visitor.outside, visitor.complaints) == ([], [])


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service with a plain reader and an archivist, and more documents than fit on a page of the list."""
    file = instance_file(tmp_path_factory.mktemp("readers"))
    command = [sys.executable, "-m", "tests.browser.readers", str(file)]
    with subprocess.Popen(
        command, cwd=ROOT, env=child_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.communicate()


def visiting(browser: Browser, url: str, name: str) -> tuple[Page, list[str]]:
    page = browser.new_context(locale="fr", reduced_motion="reduce").new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/enter?key={name}")
    page.locator(".nav-link").nth(1).click()
    page.wait_for_selector(".documents")
    return page, asked


def test_reader_without_the_role_sees_nothing_of_the_archivists_page(browser: Browser, readers: str) -> None:
    page, asked = visiting(browser, readers, "reader")
    expect(page.locator(".documents tbody tr")).to_have_count(1)
    expect(page.locator(":is(.upload, .chips, .activity-bar, #filter-category)")).to_have_count(0)
    page.locator(".title-button").click()
    expect(page.locator("#source")).to_be_visible()
    expect(page.locator(".dossier")).to_have_count(0)
    document_id = re.findall(r"/v1/documents/([0-9a-f-]{8,})/", " ".join(asked))[0]
    page.goto(f"{readers}/library#document={document_id}")
    page.wait_for_selector(".documents")
    expect(page.locator(".dossier")).to_have_count(0)
    assert not [url for url in asked if url.endswith(("/progress", "/history"))]
    page.context.close()


def test_long_list_is_shown_a_page_at_a_time(browser: Browser, readers: str) -> None:
    page, _ = visiting(browser, readers, "archivist")
    expect(page.locator(".chip.all .chip-count")).to_have_text(str(MANY + 1))
    expect(page.locator(".documents tbody tr")).to_have_count(50)
    expect(page.locator(".pager-range")).to_have_text(f"1 à 50 sur {MANY + 1}")
    page.get_by_role("button", name="Lignes suivantes").click()
    expect(page.locator(".pager-range")).to_have_text(f"51 à 100 sur {MANY + 1}")
    page.fill("#sheet", "3")
    page.keyboard.press("Enter")
    expect(page.locator(".documents tbody tr")).to_have_count(MANY + 1 - 100)
    page.fill("#filter", "lettre-007")
    expect(page.locator(".documents tbody tr")).to_have_count(1)
    page.context.close()
