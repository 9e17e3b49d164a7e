export default { minute: 60_000 };
