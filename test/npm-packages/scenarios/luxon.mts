import { DateTime, Duration, FixedOffsetZone, IANAZone, Info, Interval, Settings } from 'luxon';

export default function scenario(): unknown {
  const at = DateTime.fromISO('2026-03-29T01:30:00', { zone: 'Europe/Berlin' });
  const later = at.plus({ hours: 1 });
  const utc = DateTime.utc(2024, 2, 29, 23, 59, 58, 123);
  const interval = Interval.fromDateTimes(utc, utc.plus({ days: 3, hours: 5 }));
  return {
    iso: [at.toISO(), later.toISO(), utc.toISO(), at.toUTC().toISO()],
    offsets: [at.offset, later.offset, at.isInDST, at.zoneName, at.isOffsetFixed],
    leap: [utc.plus({ years: 1 }).toISODate(), utc.minus({ months: 12 }).toISODate(), utc.isInLeapYear],
    parts: utc.toObject(),
    week: [
      utc.weekNumber,
      utc.weekYear,
      utc.ordinal,
      utc.startOf('week').toISO(),
      utc.endOf('quarter').toISO(),
    ],
    formats: ["yyyy-LL-dd'T'HH:mm:ss.SSS", 'cccc d LLLL', 'h:mm a', 'o W kkkk'].map((f) => utc.toFormat(f)),
    locale: utc.setLocale('de').toLocaleString(DateTime.DATE_FULL),
    parsed: [
      DateTime.fromFormat('29 Feb 2024 11:05 PM', 'd LLL yyyy h:mm a', { zone: 'utc' }).toISO(),
      DateTime.fromRFC2822('Tue, 01 Nov 2016 13:23:12 +0630').toUTC().toISO(),
      DateTime.fromSQL('2017-05-15 09:24:15', { zone: 'utc' }).toMillis(),
      DateTime.fromISO('2026-W10-3').toISODate(),
    ],
    invalid: [DateTime.fromISO('nonsense').invalidReason, DateTime.utc(2023, 2, 29).isValid],
    diff: utc.diff(DateTime.utc(2020, 1, 31), ['years', 'months', 'days', 'hours']).toObject(),
    durations: [
      Duration.fromISO('P1Y2M3DT4H').toObject(),
      Duration.fromObject({ hours: 49, minutes: 61 }).shiftTo('days', 'hours', 'minutes').toISO(),
      Duration.fromMillis(93_784_000).toFormat('d:hh:mm:ss'),
      Duration.fromObject({ months: 1.5 }).normalize().toObject(),
    ],
    intervals: [
      interval.toISO(),
      interval.length('hours'),
      interval.splitBy({ days: 1 }).map((part) => part.toISODate()),
      interval.contains(utc.plus({ days: 1 })),
      interval.overlaps(Interval.after(utc, { minutes: 1 })),
    ],
    zones: [
      IANAZone.isValidZone('Asia/Tokyo'),
      FixedOffsetZone.instance(90).name,
      Info.months('short', { locale: 'fr' }),
      Info.features().relative,
    ],
    order: [DateTime.min(at, utc)?.toISO(), at > utc, +utc, utc.equals(utc.toLocal().toUTC())],
    settings: [Settings.defaultLocale, Settings.throwOnInvalid],
    json: JSON.stringify({ at, interval }),
  };
}
