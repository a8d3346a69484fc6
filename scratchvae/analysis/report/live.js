// A page that renews itself: it stays where it was scrolled to, and says so when nothing has been heard of training for too long.
function watch(written, patience) {
  const place = "scratchvae " + location.pathname;
  history.scrollRestoration = "manual";
  scrollTo(0, sessionStorage.getItem(place) || 0);
  addEventListener("pagehide", () => sessionStorage.setItem(place, scrollY));
  document.getElementById("silent").hidden = Date.now() / 1000 - written < patience;
}
