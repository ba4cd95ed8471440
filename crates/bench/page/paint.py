"""Measures how fast a report page is in Chromium: the first paint, and the longest wait after each
kind of input.

Usage: paint.py CHROMIUM PAGE [ROUNDS]

It needs the package playwright. Times are those of Chromium itself: "first-contentful-paint" of its
paint timing, and the duration of each event of its event timing, from the input to the next frame.
Durations are multiples of 8 ms.
"""

import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

chromium, path, *rounds = sys.argv[1:]
rounds = int(rounds[0]) if rounds else 5
url = Path(path).resolve().as_uri()

OBSERVE = """
window.waits = [];
new PerformanceObserver((list) => {
  for (const { name, duration } of list.getEntries()) waits.push([name, duration]);
}).observe({ type: "event", durationThreshold: 16, buffered: true });
"""


def drag(page, selector, steps=10):
    """Moves the pressed mouse over an element."""
    target = page.locator(selector).first
    target.scroll_into_view_if_needed()
    area = target.bounding_box()
    at = lambda x, y: (area["x"] + x * area["width"], area["y"] + y * area["height"])
    page.mouse.move(*at(0.3, 0.2))
    page.mouse.down()
    for step in range(steps):
        page.mouse.move(*at(0.3 + 0.04 * step, 0.2 + 0.06 * step))
    page.mouse.up()


def open_around(page, selector):
    """Opens the folds around the first element, and goes there."""
    page.evaluate(
        """(selector) => {
        const first = document.querySelector(selector);
        for (let fold = first.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
        (first.closest("figure") ?? first).scrollIntoView();
        }""",
        selector,
    )


def inputs(page):
    """Each kind of input, and its name."""
    yield "draw", lambda: drag(page, "#pad")
    yield "move a point in a plane", lambda: drag(page, ".plane .field")
    yield "open a claim", lambda: page.locator(".claim summary").first.click()
    open_around(page, "script.curves")
    chart = page.locator(".chart svg").first
    chart.wait_for()
    yield "point at a curve", lambda: chart.hover(position={"x": 300, "y": 100})
    yield "switch a curve off", lambda: page.locator(".legend button").first.click()
    open_around(page, ".table")
    yield "sort a table", lambda: page.locator("th button").first.click()


paints, longest = [], {}
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
    for _ in range(rounds):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(OBSERVE)
        page.goto(url)
        page.wait_for_function("window.trained !== undefined")
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        page.wait_for_timeout(3000)
        for name, act in inputs(page):
            page.evaluate("waits.length = 0")
            act()
            page.wait_for_timeout(300)
            found = page.evaluate("waits.map(([, duration]) => duration)")
            longest.setdefault(name, []).append(max(found, default=0))
        page.close()
    browser.close()
print(f"first paint  {statistics.median(paints):6.0f} ms (median of {rounds}), {max(paints):.0f} ms at most")
for name, waits in longest.items():
    print(f"{name:24} {statistics.median(waits):4.0f} ms (median), {max(waits):.0f} ms at most; 0 means below 16")
