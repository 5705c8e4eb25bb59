// Runs before anything is painted. Applies a theme chosen earlier, and tells Streamlit where its server is: without
// that it tries addresses below the present view first, which fail.
{
  const theme = localStorage.getItem("assistant_theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  window.__streamlit = { BACKEND_BASE_URL: new URL(".", location.href).href };
}
