// A page that reloads itself keeps its scroll position.
// It shows a warning if it has not been written for a while: training may have been killed.
function watch(written, patience) {
  const place = "scratchvae " + location.pathname;
  history.scrollRestoration = "manual";
  scrollTo(0, sessionStorage.getItem(place) || 0);
  addEventListener("pagehide", () => sessionStorage.setItem(place, scrollY));
  const age = Date.now() / 1000 - written;              // seconds
  document.getElementById("silent").hidden = age < patience;
}
