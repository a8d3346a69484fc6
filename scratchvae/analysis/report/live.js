// A page that reloads itself keeps its scroll position.
// It shows a warning if it has not been written for a while: training may have been killed.
function watch(written, patience) {
  const place = "scratchvae " + location.pathname;
  history.scrollRestoration = "manual";
  scrollTo(0, sessionStorage.getItem(place) || 0);
  // Not when the page goes: the next one may be shown by another process that has read by then.
  addEventListener("scroll", () => sessionStorage.setItem(place, scrollY));
  const age = Date.now() / 1000 - written;              // seconds
  document.getElementById("silent").hidden = age < patience;
}
