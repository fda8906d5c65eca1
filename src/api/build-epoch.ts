/** The time of builds that whoever runs a command has in the environment, as the build argument that it stands for. */
export function epochArgument({
  SOURCE_DATE_EPOCH: epoch = '',
}: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return epoch === '' ? {} : {SOURCE_DATE_EPOCH: epoch};
}
