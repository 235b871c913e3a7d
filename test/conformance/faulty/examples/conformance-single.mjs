export const single = () => "the only one";
