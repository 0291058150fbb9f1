/** Where the page of a product is. */
export const productPath = (id: string, tab = ""): string => `/software/${encodeURIComponent(id)}${tab && `/${tab}`}`;
