// biome-ignore-all lint: code as users write it
import { Socket } from 'node:net';
export class Remote {
  static socket = new Socket();
  static limit = 5;
  /** Nobody ships a call of this. */
  static send() {
    return Remote.socket.destroyed;
  }
}
