// Owns the theme before the first paint: a choice that was made here before. A classic script, so that nothing flashes.
'use strict';
try {
  const chosen = localStorage.getItem('genai-theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // Storage can be forbidden; then the system's theme it is.
}
