"""Uses a report page in Chromium as a visitor does: with the mouse, a finger and the keyboard, in
light and in the dark, on a wide screen and on a phone, and on paper.

Usage: browse.py CHROMIUM PAGE FOLDER [PART...]

The first thing that is wrong ends the script with an error. FOLDER gets pictures of the page. If it
has the file inputs.json, with the bytes of images and with codes by the name of their plane, it also
gets answer.json: what the networks of the page compute for them. PART limits the script to some of its
parts.
"""

import json
import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

chromium, page_path, folder, *chosen = sys.argv[1:]
folder = Path(folder)
URL = Path(page_path).resolve().as_uri()
WIDTHS = (360, 768, 1280)


def check(holds, what):
    if not holds:
        raise SystemExit(f"browse.py: {what}")


def opened(browser, width=1280, **settings):
    """A new page that collects its messages and errors in `faults`."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
    page = context.new_page()
    page.faults = []
    page.on("console", lambda message: page.faults.append(message.text))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.goto(URL)
    page.wait_for_function("window.trained !== undefined")
    return page


def becomes(page, read, holds, what):
    """Waits until what `read` returns holds, and returns it. The networks compute after a frame."""
    for _ in range(100):
        value = read()
        if holds(value):
            return value
        page.wait_for_timeout(20)
    check(False, f"{what}: {value}")


def closed(page):
    check(page.faults == [], f"messages on the console: {page.faults}")
    page.context.close()


def unfold(page):
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")


def fits(page, when):
    wider = page.evaluate(
        """() => Array.from(document.querySelectorAll("body *"))
        .filter((e) => e.checkVisibility() && !e.closest(".unseen") && !e.closest("thead"))
        .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
        .filter((e) => !e.closest("svg") || e.tagName === "svg")
        .slice(0, 5).map((e) => e.outerHTML.slice(0, 120))"""
    )
    check(wider == [], f"{when}: wider than the screen: {wider}")
    scroll = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    check(scroll <= 0, f"{when}: the page scrolls sideways by {scroll} pixels")


def accessible(page, when):
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=rules).response["violations"]
    lines = [f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}" for one in found]
    check(found == [], f"{when}: axe finds\n" + "\n".join(lines))


def picture(page, name):
    page.screenshot(path=folder / f"{name}.png")
    page.screenshot(path=folder / f"{name}-whole.png", full_page=True)


def looks_and_rules(browser):
    for scheme in ("light", "dark"):
        for width in WIDTHS:
            page = opened(browser, width, color_scheme=scheme)
            when = f"{width} pixels, {scheme}"
            fits(page, when)
            accessible(page, when)
            picture(page, f"{width}-{scheme}")
            height = page.evaluate("document.documentElement.scrollHeight")
            if width == 1280:
                check(height <= 12_000, f"the page is {height} pixels tall")
            unfold(page)
            page.wait_for_timeout(300)
            fits(page, f"{when}, unfolded")
            accessible(page, f"{when}, unfolded")
            closed(page)


def headings(browser):
    page = opened(browser)
    levels = page.evaluate(
        "() => Array.from(document.querySelectorAll('h1,h2,h3,h4'), (h) => Number(h.tagName[1]))"
    )
    check(levels[0] == 1 and levels.count(1) == 1, f"the first heading: {levels}")
    jumps = [pair for pair in zip(levels, levels[1:]) if pair[1] > pair[0] + 1]
    check(jumps == [], f"headings leave out a level: {levels}")
    for landmark in ("header", "nav", "main"):
        check(page.locator(landmark).count() == 1, f"one {landmark}")
    closed(page)


def folds(browser):
    page = opened(browser)
    fold = page.locator("main details").first
    was_open = fold.evaluate("(fold) => fold.open")
    fold.locator("summary").first.focus()
    page.keyboard.press("Enter")
    check(fold.evaluate("(fold) => fold.open") != was_open, "Enter opens or closes a fold")
    # A link to a figure that is folded opens its fold.
    name = page.locator("main details:not([open]) figure").first.get_attribute("id")
    hidden = page.locator(f"[id='{name}']")
    check(not hidden.is_visible(), f"{name} is folded")
    page.evaluate("(name) => { location.hash = name; }", name)
    hidden.wait_for(state="visible")
    closed(page)


def tables(browser):
    page = opened(browser)
    unfold(page)
    box = page.locator(".table").first
    header = box.locator("th", has=page.locator("button")).first
    fields = lambda: box.locator("tbody tr td:first-child").all_text_contents()
    before = fields()
    header.locator("button").focus()
    page.keyboard.press("Enter")
    check(header.get_attribute("aria-sort") == "ascending", "the column is sorted")
    check(fields() == sorted(before), f"sorted: {fields()}")
    header.locator("button").click()
    check(fields() == sorted(before, reverse=True), f"sorted the other way: {fields()}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box.get_by_role("button", name="Copy as CSV").click()
    box.get_by_role("button", name="Copied").wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    lines = text.splitlines()
    check(len(lines) == 1 + len(before) and "," in lines[0], f"as CSV: {text}")
    closed(page)


def curves(browser):
    page = opened(browser, has_touch=True)
    unfold(page)
    page.evaluate("document.querySelector('script.curves').closest('figure').scrollIntoView()")
    chart = page.locator(".chart").first
    chart.wait_for()
    check(not chart.locator("xpath=..").locator(".drawn").is_visible(), "the drawing is hidden")
    readout = lambda: chart.locator(".readout").text_content()
    axis = chart.locator("svg")
    axis.hover(position={"x": 300, "y": 100})
    hovered = readout()
    check("test" in hovered, f"hovering shows values: {hovered!r}")
    axis.focus()
    for _ in range(200):
        page.keyboard.press("ArrowLeft")
    first = readout()
    page.keyboard.press("ArrowRight")
    check(first != readout(), f"an arrow key goes to the next epoch: {first!r}")
    axis.tap(position={"x": 62, "y": 100})
    check(readout() == first, f"a tap at the left end: {readout()!r}")
    lines = lambda: axis.locator("path[stroke-width]").count()  # those of the axis have none
    before = lines()
    legend = chart.locator(".legend button").first
    legend.click()
    check(lines() < before, "the legend switches a cell off")
    check(legend.get_attribute("aria-pressed") == "false", "it is not pressed")
    legend.focus()
    page.keyboard.press("Enter")
    check(lines() == before, "and on again")
    scale = chart.locator(".legend button").last
    label, marks = scale.text_content(), axis.text_content()
    scale.click()
    check(scale.text_content() != label and axis.text_content() != marks, "the scale switches")
    closed(page)


def explorer(browser):
    page = opened(browser, has_touch=True)
    shares = lambda: page.evaluate("trained.networks.map((one) => Array.from(one.shares ?? []))")
    codes = lambda: page.evaluate("trained.planes.map((one) => one.code.map((z) => z.toFixed(4)))")
    image = lambda: page.locator(".plane .digit").first.evaluate("(image) => image.toDataURL()")
    start = shares()
    check(all(abs(sum(one) - 1) < 1e-6 for one in start), f"an example is there: {start}")
    size = page.locator(".plane .digit").first.bounding_box()
    check(size["width"] >= 200, f"the decoded image is large enough: {size}")
    examples = page.get_by_role("button", name="example:")
    # One of these two is not the example that is there at the start.
    examples.first.click()
    page.wait_for_timeout(300)
    if shares() == start:
        examples.last.click()
    other = becomes(page, shares, lambda now: now != start, "another example")
    # With the mouse.
    pad = page.locator("#pad")
    pad.scroll_into_view_if_needed()
    area = pad.bounding_box()
    point = lambda x, y: (area["x"] + x * area["width"], area["y"] + y * area["height"])
    page.mouse.move(*point(0.5, 0.2))
    page.mouse.down()
    page.mouse.move(*point(0.5, 0.8), steps=8)
    page.mouse.up()
    drawn = becomes(page, shares, lambda now: now != other and all(now), "a drawn line")
    # With the keyboard, from an empty board.
    pad.focus()
    page.keyboard.press("Escape")
    becomes(page, shares, lambda now: not any(now), "Escape clears the board")
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    becomes(page, shares, all, "the arrow keys draw")
    page.get_by_role("button", name="Clear").click()
    becomes(page, shares, lambda now: not any(now), "the button clears the board")
    # A plane, with the mouse, the keyboard and a finger.
    plane = page.locator(".plane .field").first
    plane.scroll_into_view_if_needed()
    area = plane.bounding_box()
    before = codes(), image()
    page.mouse.move(*point(0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*point(0.1, 0.9), steps=4)
    page.mouse.up()
    dragged = codes(), image()
    check(before[0] != dragged[0] and before[1] != dragged[1], "the point is dragged")
    plane.focus()
    page.keyboard.press("ArrowUp")
    moved = codes()
    check(moved != dragged[0], "an arrow key moves the point")
    plane.tap(position={"x": 30, "y": 30})
    check(codes() != moved, "a tap moves the point")
    closed(page)


def print_and_no_script(browser):
    page = opened(browser)
    page.emulate_media(media="print")
    check(not page.locator("#explorer").is_visible(), "no explorer on paper")
    check(page.locator("figure").first.is_visible(), "a figure on paper")
    fold = page.locator("main details:not([open]) figure").first
    check(not fold.is_visible(), "what is folded stays folded on paper")
    closed(page)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(URL)
    check(page.locator("figure .drawn svg").first.is_visible(), "the drawings need no script")
    context.close()


def networks(browser):
    if not (folder / "inputs.json").exists():
        return
    inputs = json.loads((folder / "inputs.json").read_text())
    page = opened(browser)
    answer = page.evaluate(
        """({ images, codes: given }) => {
        const pixels = images.map((image) => image.map((byte) => byte / 255));
        const of = (layers, scale) => pixels.map((one) => Array.from(forward(layers, scaled(scale, one))));
        const logits = trained.networks.map(({ name, layers, scale }) => [name, of(layers, scale)]);
        const codes = trained.planes.map(({ name, encoder }) => [name, of(encoder, null)]);
        const decoded = trained.planes.map(({ name, decoder }) => [name, given[name].map((code) => Array.from(forward(decoder, code), (v) => Math.min(Math.max(v, 0), 1)))]);
        return Object.fromEntries(Object.entries({ logits, codes, decoded }).map(([name, values]) => [name, Object.fromEntries(values)]));
        }""",
        inputs,
    )
    (folder / "answer.json").write_text(json.dumps(answer))
    closed(page)


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
    parts = (networks, headings, folds, tables, curves, explorer, print_and_no_script, looks_and_rules)
    for part in parts:
        if chosen and part.__name__ not in chosen:
            continue
        part(browser)
        print(f"{part.__name__}: fine", flush=True)
    browser.close()
